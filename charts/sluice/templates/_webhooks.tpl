{{/*
One webhook of a configuration. Dict:
  root, mutating (bool), name, kind, group, version, resources (list), operations (list),
  namespaces (label selector as YAML text, or ""), objects (label selector as dict, or nil),
  conditions (list of {name, expression})
*/}}
{{- define "sluice.webhook" -}}
{{- $path := printf "/%s-%s-%s-%s" (ternary "mutate" "validate" .mutating) (.group | replace "." "-") .version .kind -}}
- name: {{ .name }}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: {{ .root.Values.webhook.failurePolicy }}
  matchPolicy: Equivalent
  timeoutSeconds: {{ .root.Values.webhook.timeoutSeconds }}
  {{- if .mutating }}
  reinvocationPolicy: {{ .root.Values.webhook.reinvocationPolicy }}
  {{- end }}
  clientConfig:
    {{- include "sluice.clientConfig" (dict "root" .root "path" $path) | nindent 4 }}
  rules:
    - apiGroups: [{{ .group | quote }}]
      apiVersions: [{{ .version }}]
      resources:
        {{- toYaml .resources | nindent 8 }}
      operations:
        {{- toYaml .operations | nindent 8 }}
  {{- with .namespaces }}
  namespaceSelector:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .objects }}
  objectSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .conditions }}
  matchConditions:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Conditions shared by several webhooks, as YAML of {name: expression}. */}}
{{- define "sluice.conditions" -}}
not-by-the-controller: >-
  !(request.userInfo.username in [{{ range $i, $user := prepend .Values.webhook.trustedUsers
    (printf "system:serviceaccount:%s:%s" .Release.Namespace (include "sluice.serviceAccount" .)) }}{{ if $i }}, {{ end }}{{ $user | squote }}{{ end }}])
job-changed: >-
  request.operation != 'UPDATE' || object.?spec != oldObject.?spec ||
  object.metadata.?labels != oldObject.metadata.?labels ||
  object.metadata.?annotations != oldObject.metadata.?annotations
workload-changed: >-
  request.operation != 'UPDATE' || object.?spec != oldObject.?spec || object.?status != oldObject.?status ||
  object.metadata.?annotations != oldObject.metadata.?annotations
spec-changed: >-
  request.operation != 'UPDATE' || object.?spec != oldObject.?spec
uses-min-count: >-
  object.?spec.podSets.orValue([]).exists(p, has(p.minCount))
lacks-finalizer: >-
  !('kueue.x-k8s.io/resource-in-use' in object.metadata.?finalizers.orValue([]))
queued-pod: >-
  'kueue.x-k8s.io/queue-name' in object.metadata.?labels.orValue({}) ||
  'kueue.x-k8s.io/managed' in object.metadata.?labels.orValue({}) ||
  'kueue.x-k8s.io/pod-suspending-parent' in object.metadata.?annotations.orValue({})
{{- end -}}

{{/* Webhooks of the kueue.x-k8s.io kinds. Dict: root, mutating. */}}
{{- define "sluice.queueWebhooks" -}}
{{- $root := .root -}}
{{- $c := include "sluice.conditions" $root | fromYaml -}}
{{- $system := include "sluice.withoutSystem" (dict "root" $root "selector" dict) -}}
{{- $kinds := list
      (dict "kind" "clusterqueue" "resources" (list "clusterqueues") "when" (list "lacks-finalizer"))
      (dict "kind" "resourceflavor" "resources" (list "resourceflavors") "when" (list "lacks-finalizer"))
      (dict "kind" "workload" "resources" (list "workloads") "when" (list "not-by-the-controller" "uses-min-count") "namespaces" $system) -}}
{{- if not .mutating -}}
{{- $kinds = list
      (dict "kind" "clusterqueue" "resources" (list "clusterqueues") "when" (list "not-by-the-controller" "spec-changed"))
      (dict "kind" "cohort" "resources" (list "cohorts") "when" (list "not-by-the-controller" "spec-changed"))
      (dict "kind" "resourceflavor" "resources" (list "resourceflavors") "when" (list "not-by-the-controller" "spec-changed"))
      (dict "kind" "workload" "resources" (list "workloads" "workloads/status") "when" (list "not-by-the-controller" "workload-changed") "namespaces" $system) -}}
{{- end -}}
{{- range $k := $kinds }}
{{- $conditions := list -}}
{{- range $k.when }}{{- $conditions = append $conditions (dict "name" . "expression" (get $c .)) -}}{{- end }}
{{ include "sluice.webhook" (dict "root" $root "mutating" $.mutating
     "name" (printf "%s%s.kb.io" (ternary "m" "v" $.mutating) $k.kind)
     "kind" $k.kind "group" "kueue.x-k8s.io" "version" "v1beta2" "resources" $k.resources
     "operations" (ternary (list "CREATE") (list "CREATE" "UPDATE") $.mutating)
     "namespaces" (default "" $k.namespaces) "conditions" $conditions) }}
{{- end }}
{{- end -}}

{{/*
Webhooks of the job kinds. Dict: root, mutating. A job reaches them when it has a queue label, in a managed namespace;
all jobs there do with manageJobsWithoutQueueName. Pods are chosen by a condition instead of a selector, because those
of a StatefulSet are known by an annotation.
*/}}
{{- define "sluice.jobWebhooks" -}}
{{- $root := .root -}}
{{- $mutating := .mutating -}}
{{- $c := include "sluice.conditions" $root | fromYaml -}}
{{- $prefix := ternary "m" "v" $mutating -}}
{{- $labelled := dict "matchExpressions" (list (dict "key" "kueue.x-k8s.io/queue-name" "operator" "Exists")) -}}
{{- $unlabelled := dict "matchExpressions" (list (dict "key" "kueue.x-k8s.io/queue-name" "operator" "DoesNotExist")) -}}
{{- $every := $root.Values.config.manageJobsWithoutQueueName -}}
{{- range $name, $f := include "sluice.frameworks" $root | fromYaml }}
{{- $conditions := list -}}
{{- if and (eq $f.kind "pod") (not $every) -}}
{{- $conditions = append $conditions (dict "name" "queued-pod" "expression" (get $c "queued-pod")) -}}
{{- end -}}
{{- if not $mutating -}}
{{- $conditions = append $conditions (dict "name" "not-by-the-controller" "expression" (get $c "not-by-the-controller")) -}}
{{- $conditions = append $conditions (dict "name" "job-changed" "expression" (get $c "job-changed")) -}}
{{- end -}}
{{- $webhook := dict "root" $root "mutating" $mutating "kind" $f.kind "group" $f.group "version" $f.version
      "resources" (list $f.resource) "operations" (ternary $f.mutate (list "CREATE" "UPDATE") $mutating)
      "namespaces" (include "sluice.managedNamespaces" $root) "conditions" $conditions
      "name" (printf "%s%s.kb.io" $prefix $f.kind) -}}
{{- if not (or $every (eq $f.kind "pod")) -}}
{{- $_ := set $webhook "objects" $labelled -}}
{{- end }}
{{ include "sluice.webhook" $webhook }}
{{- if and $mutating $root.Values.webhook.unlabeledNamespaceSelector (not $every) (ne $f.kind "pod") }}
{{ include "sluice.webhook" (merge (dict "name" (printf "%s%s-unlabeled.kb.io" $prefix $f.kind) "objects" $unlabelled
     "operations" (list "CREATE")
     "namespaces" (include "sluice.withoutSystem" (dict "root" $root "selector" $root.Values.webhook.unlabeledNamespaceSelector))) $webhook) }}
{{- end }}
{{- end }}
{{- end -}}
