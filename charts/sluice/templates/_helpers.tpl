{{/* Name of the chart's part of object names. */}}
{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Prefix of object names. */}}
{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sluice.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
control-plane: controller-manager
{{- end -}}

{{- define "sluice.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "sluice.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "sluice.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (printf "%s-controller-manager" (include "sluice.fullname" .)) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sluice.image" -}}
{{- with .Values.controller.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The job kinds in use, as YAML: those in config.integrations.frameworks and what they imply. */}}
{{- define "sluice.frameworks" -}}
{{- $all := .Files.Get "files/frameworks.yaml" | fromYaml -}}
{{- $used := dict -}}
{{- range $name := (.Values.config.integrations | default dict).frameworks | default (list "batch/job") -}}
{{- if not (hasKey $all $name) -}}
{{- fail (printf "config.integrations.frameworks: unknown framework %q; known: %s" $name (keys $all | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $_ := set $used $name (get $all $name) -}}
{{- range $implied := (get $all $name).implies -}}
{{- $_ := set $used $implied (get $all $implied) -}}
{{- end -}}
{{- end -}}
{{- toYaml $used -}}
{{- end -}}

{{/* The Configuration: what the user gave, with what the chart owns laid over it. */}}
{{- define "sluice.configuration" -}}
{{- $ports := .Values.controller.ports -}}
{{- $full := include "sluice.fullname" . -}}
{{- $certificates := dict "enable" false -}}
{{- if not .Values.certManager.enabled -}}
{{- $certificates = dict "enable" true "webhookServiceName" (printf "%s-webhook-service" $full) "webhookSecretName" (printf "%s-webhook-server-cert" $full) -}}
{{- end -}}
{{- $own := dict
      "apiVersion" "config.kueue.x-k8s.io/v1beta2"
      "kind" "Configuration"
      "namespace" .Release.Namespace
      "health" (dict "healthProbeBindAddress" (printf ":%d" (int $ports.health)))
      "metrics" (dict "bindAddress" (printf ":%d" (int $ports.metrics)))
      "webhook" (dict "port" (int $ports.webhook) "certDir" "/var/run/sluice/serving-certs")
      "visibilityServer" (dict "bindPort" (int $ports.visibility))
      "leaderElection" (dict "resourceNamespace" .Release.Namespace)
      "internalCertManagement" $certificates -}}
{{- $config := mergeOverwrite (deepCopy .Values.config) $own -}}
{{- if kindIs "map" .Values.config.managedJobsNamespaceSelector -}}
{{- $_ := set $config "managedJobsNamespaceSelector" (include "sluice.managedNamespaces" . | fromYaml) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* A label selector (dict with "root" and "selector") from which the system namespaces are taken out. */}}
{{- define "sluice.withoutSystem" -}}
{{- $selector := deepCopy (.selector | default dict) -}}
{{- $system := concat (list "kube-system" .root.Release.Namespace) .root.Values.webhook.excludedNamespaces | uniq -}}
{{- $not := dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" $system -}}
{{- $_ := set $selector "matchExpressions" (append ($selector.matchExpressions | default list) $not) -}}
{{- toYaml $selector -}}
{{- end -}}

{{- define "sluice.managedNamespaces" -}}
{{- include "sluice.withoutSystem" (dict "root" . "selector" .Values.config.managedJobsNamespaceSelector) -}}
{{- end -}}

{{/* Where the API server finds a path (dict with "root" and "path"). */}}
{{- define "sluice.clientConfig" -}}
{{- if .root.Values.webhook.url -}}
url: {{ printf "%s%s" (trimSuffix "/" .root.Values.webhook.url) .path | quote }}
{{- else -}}
service:
  name: {{ include "sluice.fullname" .root }}-webhook-service
  namespace: {{ .root.Release.Namespace }}
  port: 443
  path: {{ .path }}
{{- end }}
{{- with .root.Values.webhook.caBundle }}
caBundle: {{ . }}
{{- end }}
{{- end -}}

{{- define "sluice.injectCa" -}}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "sluice.fullname" . }}-serving-cert
{{- end -}}

{{/* True when a claim is used that only one node, and so only one replica, should write. */}}
{{- define "sluice.ledgerClaim" -}}
{{- default (printf "%s-ledger" (include "sluice.fullname" .)) .Values.ledger.persistence.existingClaim -}}
{{- end -}}
