package conformance

import (
	"encoding/json"
	"regexp"
)

// Names and times that spark-submit makes up, as they are in answers.
const (
	AppID      = "spark-00000000000000000000000000000000"
	UniqueID   = "0123456789abcdef"
	SubmitTime = 1700000000000
)

// made are what spark-submit makes up, and what stands for it in answers.
var made = []struct {
	pattern *regexp.Regexp
	settled string
}{
	{regexp.MustCompile(`spark-[0-9a-f]{32}`), AppID},
	{regexp.MustCompile(`/var/data/spark-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "/var/data/" + AppID},
	{regexp.MustCompile(`\b[0-9a-f]{16}\b`), UniqueID},
	{regexp.MustCompile(`(spark\.app\.submitTime=)[0-9]{13}`), "${1}1700000000000"},
	{regexp.MustCompile(`k8s\\\\://http\\\\://127\.0\.0\.1\\\\:[0-9]+`), `k8s\\://https\\://kubernetes.default.svc`},
	{regexp.MustCompile(`#[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} [0-9:]{8} [A-Z]+ [0-9]{4}\\n`), ""},
}

// settle replaces what is another one each time, so that answers can be compared.
func settle(answers Answers) {
	for _, answer := range answers.Cases {
		for i := range answer.Requests {
			text := string(answer.Requests[i].Object)
			for _, m := range made {
				text = m.pattern.ReplaceAllString(text, m.settled)
			}
			answer.Requests[i].Path = made[2].pattern.ReplaceAllString(answer.Requests[i].Path, UniqueID)
			answer.Requests[i].Object = json.RawMessage(text)
		}
	}
}
