# shellcheck shell=sh disable=SC2154
# Functions that look at the host and change nothing. Each prints lines of the protocol; Java calls those that are asked for.

# first_boot SECONDS: waits until cloud-init is done, and fails if it is not in time, or ended in an error.
first_boot() {
    command -v cloud-init >/dev/null 2>&1 || return 0
    [ ! -e /etc/cloud/cloud-init.disabled ] || return 0
    [ ! -e /run/cloud-init/disabled ] || return 0
    boot=0
    looks=0
    # To look for the file costs a host that is busy booting far less than to start cloud-init's own command, which is for long boots.
    while [ ! -e /run/cloud-init/result.json ] && [ "$looks" -lt 100 ] && [ "$looks" -lt "$1" ]; do
        looks=$((looks + 1))
        sleep 0.2
    done
    if [ ! -e /run/cloud-init/result.json ]; then
        timeout "$(($1 - looks / 5))" cloud-init status --wait >/dev/null 2>&1
        boot=$?
    fi
    if [ "$boot" -eq 124 ]; then
        say boot late ''
        return 1
    fi
    result=
    if [ -r /run/cloud-init/result.json ]; then
        while read -r line || [ -n "$line" ]; do
            result="$result$line "
        done </run/cloud-init/result.json
        case $result in *'"errors": []'*) return 0 ;; esac
        result="errors: ${result#*\"errors\":}"
    elif [ "$boot" -ne 1 ]; then
        return 0
    fi
    say boot error "$result"
    return 1
}

# outlived FINGERPRINT: whether this connection is from before a rollback that gave the host another key than the one which was
# shown to it.
outlived() {
    [ -e "$STATE/rolled-back" ] || return 1
    for key in /etc/ssh/ssh_host_*_key.pub; do
        case $(ssh-keygen -lf "$key" 2>/dev/null) in *" $1 "*) return 1 ;; esac
    done
}

system() {
    id=
    version=
    if [ -r /etc/os-release ]; then
        while IFS='=' read -r key value || [ -n "$key" ]; do
            value=${value#[\"\']}
            value=${value%[\"\']}
            case $key in
                ID) id=$value ;;
                VERSION_ID) version=$value ;;
            esac
        done </etc/os-release
    fi
    say system "$(uname -m)" "$(date +%s)" "$id" "$version"
}

# clock: whether it is synchronized. systemd-timesyncd leaves a mark that is quicker to read than its answer.
clock() {
    if [ -e /run/systemd/timesync/synchronized ]; then
        say clock yes
    elif command -v timedatectl >/dev/null 2>&1; then
        say clock "$(timeout 5 timedatectl show -p NTPSynchronized --value 2>/dev/null)"
    fi
}

packages() {
    dpkg-query -W -f "$N\\tpackage\\t\${Package}\\t\${db:Status-Status}\\t\${Version}\\n" "$@" 2>/dev/null >&3
}

users() {
    getent passwd "$@" | while IFS=: read -r name _; do
        say user "$name"
    done
}

files() {
    stat -c "$N${TAB}file${TAB}%a${TAB}%U:%G${TAB}%F${TAB}%n" -- "$@" 2>/dev/null >&3
    for file do
        shift
        if [ -f "$file" ]; then
            set -- "$@" "$file"
        fi
    done
    sums=
    if [ $# -gt 0 ]; then
        sums=$(sha256sum -- "$@")
        printf '%s\n' "$sums" | sed "s/^/$N${TAB}sum${TAB}/" >&3
    fi
}

# contents SUM FILE...: sends what is in each file whose sum is another, if it is a plain file and not long. Comes after files.
contents() {
    while [ $# -gt 1 ]; do
        case $LF$sums$LF in
            *"$LF$1  $2$LF"*) ;;
            *)
                if [ -f "$2" ] && [ ! -L "$2" ] && [ "$(stat -c %s -- "$2")" -le 65536 ]; then
                    head -c 65536 -- "$2" | base64 -w 4096 | sed "s|^|$N${TAB}content${TAB}$2${TAB}|" >&3
                fi
                ;;
        esac
        shift 2
    done
}

units() {
    systemctl show --no-pager -p Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ActiveEnterTimestamp -- "$@" |
        sed "s/^/$N${TAB}unit${TAB}/" >&3
    for unit do
        for folder in /etc/systemd/system.control /run/systemd/system.control /etc/systemd/system /run/systemd/system; do
            for file in "$folder/$unit.d"/*.conf; do
                if [ -e "$file" ] || [ -L "$file" ]; then
                    say dropins "$unit" "$folder/$unit.d"
                    break
                fi
            done
        done
    done
}

# kept: what this or an earlier run wrote down that it put there, as far as it is still there.
kept() {
    [ -r "$STATE/written" ] || return 0
    grep -xE -e '/etc/systemd/system/[A-Za-z0-9_@:][A-Za-z0-9_@:.-]*\.service' \
        -e '/etc/prometheus/([A-Za-z0-9_-]+/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\.yml' \
        -e '/etc/promguard/[A-Za-z0-9_-]+/[A-Za-z0-9_][A-Za-z0-9_.-]*' \
        -e '/opt/promguard/[A-Za-z0-9_][A-Za-z0-9_.+-]*' "$STATE/written" |
        while read -r path; do
            if [ -f "$path" ] || [ -L "$path" ] || [ -f "$path/.promguard" ]; then
                say kept "$path"
            fi
        done
}

# owed: what an earlier run was cut off before it did.
owed() {
    [ -r "$OWED" ] || return 0
    while read -r unit action _; do
        say owed "$unit" "$action"
    done <"$OWED"
}

# release NAME-VERSION PROGRAM...: programs whose stamp is unchanged were not written to; others are summed again.
release() {
    folder=/opt/promguard/$1
    release=$1
    shift
    [ -d "$folder" ] || return 0
    sum=
    intact=no
    if [ -f "$folder/.promguard" ]; then
        read -r sum <"$folder/.promguard"
        stamp=$(cd "$folder" && stat -c "$STAMP" -- "$@" 2>/dev/null)
        if [ -f "$folder/.promguard-stamp" ] && [ "$stamp" = "$(cat "$folder/.promguard-stamp")" ]; then
            intact=yes
        elif [ -n "$stamp" ] && (cd "$folder" && tail -n +2 .promguard | sha256sum -c --status) 2>/dev/null; then
            intact=yes
            for program do
                case $(stat -c '%F %a %u:%g' -- "$folder/$program" 2>/dev/null) in
                    'regular file 755 0:0') ;;
                    *) intact=no ;;
                esac
                grep -q "  $program\$" "$folder/.promguard" || intact=no
            done
        fi
    fi
    say release "$release" "$intact" "$sum"
}

# preshared_keys INTERFACE: compares here what runs with what the files hold that the configuration names. No key is printed.
preshared_keys() {
    wg show "$1" preshared-keys | awk -v line_of="$N${TAB}peer-preshared-key" -v config="/etc/wireguard/$1.conf" '
        BEGIN {
            while ((getline line < config) > 0) {
                if (line ~ /^PostUp = wg set %i peer [^ ]+ preshared-key [^ ]+$/) {
                    split(line, word, " ")
                    file[word[7]] = word[9]
                }
            }
        }
        {
            verdict = "none"
            if ($2 != "(none)") {
                verdict = "other"
                if ($1 in file) {
                    if ((getline key < file[$1]) > 0 && key == $2) verdict = "filed"
                    close(file[$1])
                }
            }
            print line_of "\t" $1 "\t" verdict
        }' >&3
}

# fences INTERFACE: the addresses that no other interface may be used to reach.
fences() {
    for tables in iptables ip6tables; do
        "$tables" -t raw -S PREROUTING 2>/dev/null
    done | sed -n "s/^-A PREROUTING -d \([^ ]*\) ! -i $1 -m addrtype ! --src-type LOCAL .*-j DROP\$/$N${TAB}fence${TAB}\1/p" >&3
}

# wireguard INTERFACE KEYFILE: never asks wg for a private key.
wireguard() {
    if command -v wg >/dev/null 2>&1; then
        if [ -n "$(ip -o link show dev "$1" up 2>/dev/null)" ] && key=$(wg show "$1" public-key 2>/dev/null); then
            say wg "$key" "$(wg show "$1" listen-port)"
            for what in endpoints allowed-ips latest-handshakes transfer; do
                wg show "$1" "$what" | while read -r line; do
                    say "peer-$what" "$line"
                done
            done
            preshared_keys "$1"
            fences "$1"
        fi
        if [ -f "$2" ] && [ ! -L "$2" ] && key=$(wg pubkey <"$2" 2>/dev/null); then
            say key "$key"
        fi
    fi
    stat -c "$N${TAB}keyfile${TAB}%a${TAB}%u:%g${TAB}%F" -- "$2" 2>/dev/null >&3
}

# addresses INTERFACE
addresses() {
    ip -o addr show scope global | while read -r _ device _ address _; do
        if [ "$device" = "$1" ]; then
            say wg-address "$address"
        elif [ "$device" != lo ]; then
            say address "$address"
        fi
    done
}

# rules 4|6 CHAIN IPTABLES FILE: what is written in ufw's file, and what is loaded of it and beside it.
rules() {
    file=$4
    [ -r "$file" ] || file=/dev/null
    "$3" -S 2>/dev/null | awk -v begin="$N$TAB" -v family="$1" -v chain="$2" -v file="$file" '
        function tell(kind, text) { print begin kind family "\t" text }
        function after(prefix) { return index($0, prefix) == 1 ? substr($0, length(prefix) + 1) : "" }
        BEGIN {
            while ((getline < file) > 0) {
                if ((rest = after("### tuple ### ")) != "") tell("tuple", rest)
                else if ((rest = after("-A " chain "-user-input ")) != "") tell("written", rest)
            }
        }
        /^-A / && !/^-A (FORWARD|OUTPUT|ufw6?-[a-z-]*-(forward|output)) / && $0 ~ " -j (ACCEPT|" chain "-user-limit-accept)$" {
            tell("accept", after("-A "))
        }
        $0 == "-A " chain "-before-input -j " chain "-user-input" { tell("hook", "user") }
        $0 == "-A INPUT -j " chain "-before-input" { tell("hook", "before") }
        index($0, "-A INPUT -j " chain "-") == 1 { next }
        (rest = after("-P INPUT ")) != "" { tell("policy", rest) }
        (rest = after("-A INPUT ")) != "" { tell("input", rest) }
        (rest = after("-A " chain "-user-input ")) != "" { tell("loaded", rest) }' >&3
}

firewall() {
    command -v ufw >/dev/null 2>&1 || return 0
    enabled=
    policy=
    ipv6=
    for file in /etc/ufw/ufw.conf /etc/default/ufw; do
        [ -r "$file" ] || continue
        while IFS='=' read -r key value || [ -n "$key" ]; do
            value=${value#[\"\']}
            value=${value%[\"\']}
            case $key in
                ENABLED) enabled=$value ;;
                DEFAULT_INPUT_POLICY) policy=$value ;;
                IPV6) ipv6=$value ;;
            esac
        done <"$file"
    done
    say ufw "$enabled" "$policy" "$ipv6"
    rules 4 ufw iptables /etc/ufw/user.rules
    rules 6 ufw6 ip6tables /etc/ufw/user6.rules
}

# ledger: what PromGuard put on a host that stays when the mesh goes.
ledger() {
    [ -r "$LEDGER/mesh" ] || return 0
    read -r mesh <"$LEDGER/mesh"
    say ledger "$mesh"
    sed -n -e "/^unit /s/^/$N${TAB}thing${TAB}/p" -e "/^file /s/^/$N${TAB}thing${TAB}/p" \
        -e "/^replaced /s/^/$N${TAB}thing${TAB}/p" "$LEDGER/things" >&3
}

listening() {
    command -v ss >/dev/null 2>&1 || return 0
    ss -Hltun | while read -r protocol _ _ _ socket _; do
        say socket "$protocol" "$socket"
    done
}
