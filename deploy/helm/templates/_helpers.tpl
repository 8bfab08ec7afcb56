{{- define "hookstream.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "hookstream.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "hookstream.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "hookstream.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select pods: they may never change. Takes a dict of `root` and `component`. */}}
{{- define "hookstream.selector" -}}
app.kubernetes.io/name: {{ include "hookstream.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "hookstream.labels" -}}
{{ include "hookstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "hookstream.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "hookstream.secretName" -}}
{{- default (include "hookstream.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{/* Refuses to render what could not start. */}}
{{- define "hookstream.checkSecrets" -}}
{{- if not .Values.existingSecret -}}
{{- range $name := list "databaseUrl" "adminToken" "encryptionKey" -}}
{{- if not (index $.Values.secrets $name) -}}
{{- fail (printf "set existingSecret, or secrets.%s" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* One variable of the Secret. A dict of `secret`, `name`, and `optional`. */}}
{{- define "hookstream.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .name }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{/* What the API and the workers share. */}}
{{- define "hookstream.environment" -}}
{{- $secret := include "hookstream.secretName" . -}}
{{ include "hookstream.secretVariable" (dict "secret" $secret "name" "DATABASE_URL") }}
{{ include "hookstream.secretVariable" (dict "secret" $secret "name" "HOOKSTREAM_ENCRYPTION_KEY") }}
{{ include "hookstream.secretVariable" (dict "secret" $secret "name" "TEMPORAL_API_KEY" "optional" true) }}
{{ include "hookstream.secretVariable" (dict "secret" $secret "name" "HOOKSTREAM_METRICS_TOKEN" "optional" true) }}
{{- with .Values.traces }}
{{- if .endpoint }}
{{ include "hookstream.secretVariable" (dict "secret" $secret "name" "OTEL_EXPORTER_OTLP_HEADERS" "optional" true) }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_TRACES_SAMPLER
  value: {{ .sampler | quote }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .samplerArg | quote }}
{{- end }}
{{- end }}
- name: TEMPORAL_ADDRESS
  value: {{ .Values.temporal.address | quote }}
- name: TEMPORAL_NAMESPACE
  value: {{ .Values.temporal.namespace | quote }}
{{- with .Values.temporal.uiUrl }}
- name: HOOKSTREAM_TEMPORAL_UI_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.temporal.tls }}
{{- if or .enabled .caSecret .clientSecret }}
- name: TEMPORAL_TLS
  value: 'true'
{{- end }}
{{- with .serverName }}
- name: TEMPORAL_TLS_SERVER_NAME
  value: {{ . | quote }}
{{- end }}
{{- if .caSecret }}
- name: TEMPORAL_TLS_SERVER_CA_CERT_PATH
  value: /etc/hookstream/temporal-ca/ca.crt
{{- end }}
{{- if .clientSecret }}
- name: TEMPORAL_TLS_CLIENT_CERT_PATH
  value: /etc/hookstream/temporal-client/tls.crt
- name: TEMPORAL_TLS_CLIENT_KEY_PATH
  value: /etc/hookstream/temporal-client/tls.key
{{- end }}
{{- end }}
- name: HOOKSTREAM_HOST
  value: '0.0.0.0'
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "hookstream.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .Values.database.caSecret }}
- { name: postgres-ca, mountPath: /etc/hookstream/postgres, readOnly: true }
{{- end }}
{{- if .Values.temporal.tls.caSecret }}
- { name: temporal-ca, mountPath: /etc/hookstream/temporal-ca, readOnly: true }
{{- end }}
{{- if .Values.temporal.tls.clientSecret }}
- { name: temporal-client, mountPath: /etc/hookstream/temporal-client, readOnly: true }
{{- end }}
{{- end -}}

{{- define "hookstream.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- with .Values.database.caSecret }}
- name: postgres-ca
  secret: { secretName: {{ . }} }
{{- end }}
{{- with .Values.temporal.tls.caSecret }}
- name: temporal-ca
  secret: { secretName: {{ . }} }
{{- end }}
{{- with .Values.temporal.tls.clientSecret }}
- name: temporal-client
  secret: { secretName: {{ . }} }
{{- end }}
{{- end -}}

{{- define "hookstream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "hookstream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}
