# shellcheck shell=bash
# servers.sh - what each server of an instance is started with: keys, kubeconfigs, command lines.
#
# Everything is written below DIR: pki/ (certificates), conf/ (configuration files and one kubeconfig
# per client), run/ (command lines and process ids), etcd/ (data). Sourced by `cluster`, which sets
# 'here', the folder of this file.

# Write a key and a certificate: DIR NAME SUBJECT EXTENSIONS AUTHORITY
pki_sign() {
    local dir=$1/pki name=$2 subject=$3 extensions=$4 authority=$5
    openssl ecparam -name prime256v1 -genkey -noout -out "$dir/$name.key"
    openssl req -new -key "$dir/$name.key" -subj "$subject" -out "$dir/$name.csr"
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$authority.crt" \
        -CAkey "$dir/$authority.key" -days 3650 -set_serial "0x$(openssl rand -hex 8)" \
        -extfile <(printf '%b' "$extensions") -out "$dir/$name.crt" 2>/dev/null
    rm -f "$dir/$name.csr"
}

pki_authority() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1/pki/$2.key"
    openssl req -x509 -new -key "$1/pki/$2.key" -subj "/CN=$2" -days 3650 -out "$1/pki/$2.crt"
}

pki_create() {
    local dir=$1 client='keyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n'
    local names='IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default'
    names+=',DNS:kubernetes.default.svc'
    mkdir -m 0700 "$dir/pki"
    pki_authority "$dir" ca
    pki_authority "$dir" front-proxy-ca
    pki_sign "$dir" apiserver /CN=kube-apiserver \
        "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=$names\n" ca
    pki_sign "$dir" admin /O=system:masters/CN=admin "$client" ca
    pki_sign "$dir" kube-controller-manager /CN=system:kube-controller-manager "$client" ca
    pki_sign "$dir" kube-scheduler /CN=system:kube-scheduler "$client" ca
    pki_sign "$dir" kwok /O=system:masters/CN=kwok "$client" ca
    pki_sign "$dir" front-proxy /CN=front-proxy "$client" front-proxy-ca
    openssl genrsa -out "$dir/pki/service-account.key" 2048 2>/dev/null
    openssl rsa -in "$dir/pki/service-account.key" -pubout -out "$dir/pki/service-account.pub" \
        2>/dev/null
}

# Write a kubeconfig that needs no other file: DIR CLIENT FILE
kubeconfig_write() {
    local dir=$1 client=$2 file=$3 port
    port=$(<"$dir/run/kube-apiserver.port")
    (umask 077 && cat >"$file") <<END
apiVersion: v1
kind: Config
current-context: sluice
clusters:
- name: sluice
  cluster:
    server: https://127.0.0.1:$port
    certificate-authority-data: $(base64 -w 0 "$dir/pki/ca.crt")
contexts:
- name: sluice
  context:
    cluster: sluice
    user: $client
users:
- name: $client
  user:
    client-certificate-data: $(base64 -w 0 "$dir/pki/$client.crt")
    client-key-data: $(base64 -w 0 "$dir/pki/$client.key")
END
}

kubeconfigs_write() {
    local client
    kubeconfig_write "$1" admin "$1/kubeconfig"
    for client in kube-controller-manager kube-scheduler kwok; do
        kubeconfig_write "$1" "$client" "$1/conf/$client.kubeconfig"
    done
}

configure_etcd() {
    local dir=$1 port=$2
    printf '%s\n' "$port" >"$dir/run/etcd.port"
    process_command_set "$dir" etcd "$dir/bin/etcd" \
        --name=sluice --data-dir="$dir/etcd" --unsafe-no-fsync \
        --listen-client-urls="http://127.0.0.1:$port" \
        --advertise-client-urls="http://127.0.0.1:$port" \
        --listen-peer-urls=http://127.0.0.1:0 \
        --initial-advertise-peer-urls=http://127.0.0.1:0 \
        --initial-cluster=sluice=http://127.0.0.1:0 \
        --snapshot-count=10000 --quota-backend-bytes=4294967296 --log-level=warn
}

# Unknown callers may ask for the server's health and for nothing else.
authentication_write() {
    cat >"$1/conf/authentication.yaml" <<'END'
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions:
  - path: /livez
  - path: /readyz
  - path: /healthz
END
}

# DIR PORT WITH_CONTROLLER_MANAGER FLAG...
configure_kube-apiserver() {
    local dir=$1 port=$2 disabled=TaintNodesByCondition pki=$1/pki
    # Nobody makes service accounts without the controller manager, and every pod needs one.
    [[ -n $3 ]] || disabled+=,ServiceAccount
    shift 3
    printf '%s\n' "$port" >"$dir/run/kube-apiserver.port"
    process_command_set "$dir" kube-apiserver "$dir/bin/kube-apiserver" \
        --etcd-servers="http://127.0.0.1:$(<"$dir/run/etcd.port")" \
        --bind-address=127.0.0.1 --secure-port="$port" \
        --advertise-address=192.0.2.1 --endpoint-reconciler-type=none \
        --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
        --client-ca-file="$pki/ca.crt" --authentication-config="$dir/conf/authentication.yaml" \
        --authorization-mode=Node,RBAC --allow-privileged=true \
        --service-account-issuer=https://kubernetes.default.svc \
        --service-account-key-file="$pki/service-account.pub" \
        --service-account-signing-key-file="$pki/service-account.key" \
        --requestheader-client-ca-file="$pki/front-proxy-ca.crt" \
        --requestheader-allowed-names=front-proxy \
        --requestheader-username-headers=X-Remote-User \
        --requestheader-group-headers=X-Remote-Group \
        --requestheader-extra-headers-prefix=X-Remote-Extra- \
        --proxy-client-cert-file="$pki/front-proxy.crt" \
        --proxy-client-key-file="$pki/front-proxy.key" \
        --service-cluster-ip-range=10.96.0.0/16 \
        --shutdown-watch-termination-grace-period=1s \
        --disable-admission-plugins="$disabled" -v=0 "$@"
}

configure_kube-controller-manager() {
    local dir=$1 controllers='*'
    controllers+=,-horizontal-pod-autoscaler-controller,-persistentvolume-attach-detach-controller
    process_command_set "$dir" kube-controller-manager "$dir/bin/kube-controller-manager" \
        --kubeconfig="$dir/conf/kube-controller-manager.kubeconfig" \
        --use-service-account-credentials=true --leader-elect=false --secure-port=0 \
        --service-account-private-key-file="$dir/pki/service-account.key" \
        --root-ca-file="$dir/pki/ca.crt" \
        --cluster-signing-cert-file="$dir/pki/ca.crt" \
        --cluster-signing-key-file="$dir/pki/ca.key" \
        --controllers="$controllers" --concurrent-job-syncs=20 --kube-api-qps=2000 \
        --kube-api-burst=4000 -v=0
}

configure_kube-scheduler() {
    local dir=$1
    cat >"$dir/conf/scheduler.yaml" <<END
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection:
  leaderElect: false
clientConnection:
  kubeconfig: "$dir/conf/kube-scheduler.kubeconfig"
  qps: 2000
  burst: 4000
END
    process_command_set "$dir" kube-scheduler "$dir/bin/kube-scheduler" \
        --config="$dir/conf/scheduler.yaml" --secure-port=0 -v=0
}

configure_kwok() {
    local dir=$1
    # shellcheck disable=SC2154
    cp "$here/stages.yaml" "$dir/conf/stages.yaml"
    process_command_set "$dir" kwok "$dir/bin/kwok" \
        --kubeconfig="$dir/conf/kwok.kubeconfig" --config="$dir/conf/stages.yaml" \
        --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake \
        --node-lease-duration-seconds=40 --node-ip=192.0.2.2 --cidr=198.18.0.0/15 --v=WARN
}
