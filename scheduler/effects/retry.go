package effects

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// passes says whether an error is worth another try: the API server was busy,
// restarting or out of reach, or somebody else wrote at the same time. What it
// has judged, and would judge again in the same way, does not pass.
func passes(err error) bool {
	switch {
	case err == nil:
		return false
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err),
		apierrors.IsMethodNotSupported(err), apierrors.IsRequestEntityTooLargeError(err), apierrors.IsGone(err),
		apierrors.IsNotAcceptable(err), apierrors.IsUnsupportedMediaType(err):
		return false
	}
	return true
}
