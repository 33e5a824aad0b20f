#!/usr/bin/env bash
# The chart passes lint and a server-side dry run in its variants; the image starts as it is meant to.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster_up --with controller-manager
chart=$root/charts/sluice
check "helm lint" helm lint "$chart" --strict
dry_run() { helm template t "$chart" -n sluice-system --set crds.install=false "$@" | kubectl apply --dry-run=server -f - >"$work/dry" 2>&1 || { cat "$work/dry"; return 1; }; }
check "the defaults" dry_run
check "a volume for the ledger" dry_run --set ledger.persistence.enabled=true --set controller.replicas=1
check "a controller outside the cluster" dry_run --set controller.enabled=false --set webhook.url=https://127.0.0.1:9443
refused() { ! helm template t "$chart" "$@" >"$work/refused" 2>&1; }
check "wrong values are refused" refused --set controller.replicas=many
check "and named" grep -q replicas "$work/refused"
"$root/charts/image/build" "$program" "$work/image" test >/dev/null
check "the image's program starts, not root, read-only" "$root/charts/image/check" "$work/image"
check "two builds give the same bytes" bash -c '"$1" "$2" "$3/image2" test >/dev/null && cmp -s "$3/image/index.json" "$3/image2/index.json"' - "$root/charts/image/build" "$program" "$work"
for kind in clusterqueue localqueue workload cohort resourceflavor admissioncheck topology workloadpriorityclass provisioningrequestconfig multikueueconfig multikueuecluster; do
    check "kubectl explain $kind.spec" bash -c 'kubectl explain "$1" >/dev/null' - "$kind"
done
