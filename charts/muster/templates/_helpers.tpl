{{- define "muster.scheduler" -}}
{{ printf "%s-scheduler" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "muster.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "muster.scheduler" .) }}
{{- end -}}

{{- define "muster.labels" -}}
app.kubernetes.io/name: muster
app.kubernetes.io/component: scheduler
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "muster.operators" -}}
{{ printf "%s-operators" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "muster.operatorsLabels" -}}
app.kubernetes.io/name: muster
app.kubernetes.io/component: operators
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "muster.sparkHistory" -}}
{{ printf "%s-spark-history" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "muster.sparkHistoryLabels" -}}
app.kubernetes.io/name: muster
app.kubernetes.io/component: spark-history
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "muster.sparkHistoryURL" -}}
{{ .Values.historyServer.url | default (printf "http://%s.%s:18080" (include "muster.sparkHistory" .) .Release.Namespace) }}
{{- end -}}
