{{- define "respool.name" -}}
{{- if contains "respool" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-respool{{ end }}
{{- end }}

{{- define "respool.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "respool.selector" . }}
{{- end }}

{{- define "respool.selector" -}}
app.kubernetes.io/name: respool
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "respool.secret" -}}
{{ .Values.secrets.existing | default (include "respool.name" .) }}
{{- end }}

{{- define "respool.claim" -}}
{{ .Values.files.existingClaim | default (printf "%s-files" (include "respool.name" .)) }}
{{- end }}

{{/* What all pods of ours have in common: who they are, that they are started anew when settings change, and where they may go. */}}
{{- define "respool.podMetadata" -}}
labels:
  {{- include "respool.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
annotations:
  checksum/settings: {{ include (print .root.Template.BasePath "/settings.yaml") .root | sha256sum }}
  {{- with .annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "respool.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "respool.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "respool.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "respool.containerSecurity" . | nindent 2 }}
envFrom:
  - configMapRef:
      name: {{ include "respool.name" . }}
  - secretRef:
      name: {{ include "respool.secret" . }}
{{- end }}

{{- define "respool.env" -}}
{{- if .Values.redis.enabled }}
{{- if .Values.redis.passwordKey }}
- name: REDIS_PASSWORD
  {{- include "respool.redisPassword" . | nindent 2 }}
{{- end }}
- name: RESPOOL_REDIS_URL
  value: redis://{{ if .Values.redis.passwordKey }}:$(REDIS_PASSWORD)@{{ end }}{{ include "respool.name" . }}-redis:6379/0
{{- else if not (or .Values.secrets.existing .Values.secrets.values.RESPOOL_REDIS_URL) }}
{{- fail "redis.enabled is false: name your Redis in secrets.values.RESPOOL_REDIS_URL, or in the Secret secrets.existing" }}
{{- end }}
{{- end }}

{{- define "respool.redisPassword" -}}
valueFrom:
  secretKeyRef:
    name: {{ include "respool.secret" . }}
    key: {{ .Values.redis.passwordKey }}
{{- end }}

{{/* /tmp is the only place that can be written, beside the files. */}}
{{- define "respool.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.limits }}
- name: limits
  mountPath: /etc/respool/limits
  readOnly: true
{{- end }}
{{- if .Values.certificates }}
- name: certificates
  mountPath: /etc/respool/certificates
  readOnly: true
{{- end }}
{{- end }}

{{- define "respool.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if .Values.limits }}
- name: limits
  configMap:
    name: {{ include "respool.name" . }}-limits
{{- end }}
{{- with .Values.certificates }}
- name: certificates
  configMap:
    name: {{ . }}
{{- end }}
{{- end }}

{{- define "respool.fileMounts" -}}
{{- if .Values.files.enabled }}
- name: files
  mountPath: /files
{{- end }}
{{- end }}

{{- define "respool.fileVolumes" -}}
{{- if .Values.files.enabled }}
- name: files
  persistentVolumeClaim:
    claimName: {{ include "respool.claim" . }}
{{- end }}
{{- end }}

{{- define "respool.dns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{- define "respool.toRedis" -}}
{{- if .Values.redis.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "respool.selector" . | nindent 10 }}
          app.kubernetes.io/component: redis
  ports:
    - {protocol: TCP, port: 6379}
{{- else }}
- {{ with .Values.networkPolicy.redisTo }}to:
    {{- toYaml . | nindent 4 }}
  {{ end }}ports:
    {{- range .Values.networkPolicy.redisPorts }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{- define "respool.toBlocks" -}}
- to:
    {{- range .blocks }}
    - ipBlock:
        {{- toYaml . | nindent 8 }}
    {{- end }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- else }}
    - {protocol: TCP}
    {{- end }}
{{- end }}
