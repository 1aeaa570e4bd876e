package submission

import "muster.sh/muster/internal/sparkconf"

// line is what differs between lines of Spark.
type line struct {
	// Claims made on demand have labels and annotations of their own, and belong to one
	// pod alone unless oldAccessMode is set.
	labelsClaims, oldAccessMode bool
	// A label may refer to the application's id.
	idInLabels bool
	// Volumes of the node have types, and mounts expressions for paths.
	hostPathTypes, subPathExpressions bool
	// A setting may exclude feature steps.
	excludesSteps bool
	// The name of an image may refer to Spark's version.
	versionInImage bool
	// The driver offers the port of Spark Connect, since connectProtocol with the name
	// of its protocol.
	connectPort, connectProtocol bool
	// Nobody but the application's own pods may talk to executors.
	networkPolicy bool
	// Processes in the driver's container gain no privileges unless a setting says so.
	limitsPrivileges bool
	// A setting says whether the Service has the driver's address before it is ready.
	publishesNotReady bool
	// A proxy user is the user whom Hadoop's file systems see.
	proxyIsUser bool
}

func lineOf(r *sparkconf.Reader) line {
	return line{
		labelsClaims:       !r.Before(4, 0),
		oldAccessMode:      r.Before(4, 0),
		idInLabels:         !r.Before(4, 0),
		hostPathTypes:      !r.Before(4, 0),
		subPathExpressions: !r.Before(4, 0),
		excludesSteps:      !r.Before(4, 1),
		versionInImage:     !r.Before(4, 1),
		connectPort:        !r.Before(4, 1),
		connectProtocol:    !r.Before(4, 2),
		networkPolicy:      !r.Before(4, 2),
		limitsPrivileges:   !r.Before(4, 3),
		publishesNotReady:  !r.Before(4, 3),
		proxyIsUser:        !r.Before(4, 3),
	}
}
