# shellcheck shell=sh disable=SC2154
# The same job as a person writes it for one host, to be sent over one ssh: what the speed of an apply is held against. It
# may be run again, and then looks before it changes anything. It has no rollback, pins no host key and looks at no running state
# but whether things run. Before it come: monitor, address, key, peers, targets, mirror, exporter, exporter_sum, prometheus,
# prometheus_sum.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
cloud-init status --wait >/dev/null || true

missing=
for package in ca-certificates curl ufw wireguard-tools; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    apt-get -q -y --no-install-recommends install $missing >/dev/null
fi

# put PATH MODE: the content comes on standard input; says whether it changed anything.
put() {
    content=$(cat)
    if [ -f "$1" ] && [ "$(cat "$1")" = "$content" ]; then
        return 1
    fi
    mkdir -p "${1%/*}"
    (umask 077 && printf '%s\n' "$content" >"$1.new") && chmod "$2" "$1.new" && mv "$1.new" "$1"
}

# release STEM SUM PROGRAM...
release() {
    [ ! -e "/opt/floor/$1" ] || return 0
    curl -fsS -o /tmp/tarball "$mirror$1.tar.gz"
    printf '%s  /tmp/tarball\n' "$2" | sha256sum -c --status
    mkdir -p /opt/floor
    tar -xzf /tmp/tarball -C /opt/floor --no-same-owner
    rm /tmp/tarball
}

getent passwd node_exporter >/dev/null || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin node_exporter
release "$exporter" "$exporter_sum"

rules=$(ufw status)
case $rules in *"# OpenSSH"*) ;; *) ufw allow proto tcp to any port 22 comment OpenSSH >/dev/null ;; esac
case $rules in *"# WireGuard"*) ;; *) ufw allow proto udp to any port 51820 comment WireGuard >/dev/null ;; esac
if [ "$monitor" = no ]; then
    case $rules in
        *"# scraper"*) ;;
        *) ufw allow in on wg0 proto tcp from 10.0.0.1 to "$address" port 9100 comment scraper >/dev/null ;;
    esac
fi
case $rules in *"Status: active"*) ;; *) ufw --force enable >/dev/null ;; esac

changed=no
if {
    printf '[Interface]\nAddress = %s/24\nListenPort = 51820\nPrivateKey = %s\n' "$address" "$key"
    printf '%s\n' "$peers"
} | put /etc/wireguard/wg0.conf 0600; then
    changed=yes
fi
if ! systemctl is-active -q wg-quick@wg0; then
    systemctl enable -q --now wg-quick@wg0
elif [ "$changed" = yes ]; then
    systemctl restart wg-quick@wg0
fi

# service NAME: runs it, anew where its unit has changed; the unit comes on standard input.
service() {
    if put "/etc/systemd/system/$1.service" 0644; then
        systemctl daemon-reload
        systemctl enable -q "$1"
        systemctl restart "$1"
    elif ! systemctl is-active -q "$1"; then
        systemctl start "$1"
    fi
}

service node_exporter <<UNIT
[Unit]
After=wg-quick@wg0.service ufw.service
Requires=wg-quick@wg0.service ufw.service
StartLimitIntervalSec=0
[Service]
User=node_exporter
ExecStart=/opt/floor/$exporter/node_exporter --web.listen-address=$address:9100
Restart=always
RestartSec=5
NoNewPrivileges=yes
ProtectSystem=strict
[Install]
WantedBy=multi-user.target
UNIT

if [ "$monitor" = yes ]; then
    getent passwd prometheus >/dev/null || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin prometheus
    release "$prometheus" "$prometheus_sum"
    put /etc/prometheus/targets.json 0644 <<TARGETS || true
[{"targets": [$targets]}]
TARGETS
    if put /etc/prometheus/prometheus.yml 0644 <<'CONFIG'; then
global: {scrape_interval: 15s}
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ["127.0.0.1:9090"]}]
  - job_name: node
    file_sd_configs: [{files: [/etc/prometheus/targets.json]}]
CONFIG
        "/opt/floor/$prometheus/promtool" check config /etc/prometheus/prometheus.yml >/dev/null
        systemctl reload prometheus 2>/dev/null || true
    fi
    service prometheus <<UNIT
[Unit]
After=ufw.service
Requires=ufw.service
[Service]
User=prometheus
ExecStart=/opt/floor/$prometheus/prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/var/lib/prometheus --web.listen-address=127.0.0.1:9090
ExecReload=/bin/kill -HUP \$MAINPID
Restart=always
StateDirectory=prometheus
NoNewPrivileges=yes
ProtectSystem=strict
[Install]
WantedBy=multi-user.target
UNIT
fi
