# shellcheck shell=sh disable=SC2154
# Functions that change the host. Each may be run again without harm, sets WHY to say in words what went wrong, and prints
# the rest to standard error.
WHY=
TMP=
ARMED=
OWES=
STARTS=
ENABLED=
# Whether systemd has to read its unit files anew: yes, no more, or nothing if only systemd knows.
RELOAD=

trap 'exit 1' HUP INT PIPE TERM
trap '[ -z "$TMP" ] || rm -rf "$TMP"' EXIT

# step NUMBER FUNCTION ARGUMENT...: reports the begin and the end of a change, and ends the script where it fails.
step() {
    number=$1
    shift
    WHY=
    say begin "$number"
    printf '%s\n' "$N" >&2
    if [ -n "$ARMED" ] && [ ! -d "$STATE/rollback" ]; then
        say rolled-back
        say failed "$number" 1 'the time for a confirmation was over before the changes were done, and the host has rolled back'
        exit 1
    fi
    case $1 in
        alone | owe | install_packages | install_release) "$@" ;;
        *) owing && "$@" ;;
    esac
    code=$?
    if [ "$code" -ne 0 ]; then
        say failed "$number" "$code" "$WHY"
        exit 1
    fi
    say "done" "$number"
}

# alone: one run at a time on a host. What an earlier one could not take away, for it was killed, goes now.
alone() {
    lock || {
        WHY='another run is at work on this host'
        return 1
    }
    rm -rf /etc/wireguard/.promguard.* /etc/wireguard/*/.promguard.* /etc/ssh/.promguard.* /etc/prometheus/secrets/.promguard.* \
        "$STATE"/.new.* "$STATE"/confirmed.* "$LEDGER"/.new.* /opt/promguard/.new.*
}

# private_folder FOLDER: one that is nobody's but root's from its first moment, or from now on.
private_folder() {
    if [ -d "$1" ]; then
        chown root:root "$1" && chmod 0700 "$1"
    else
        (umask 077 && mkdir -p "$1")
    fi
}

# owe "UNIT ACTION"...: what units are owed once anything is changed that they run with.
owe() {
    OWES=$(printf '%s\n' "$@")
    for owed do
        case $owed in *' START') STARTS="$STARTS ${owed% START}" ;; esac
    done
}

# owing: writes that down before it is changed, for the next run to see if this one is cut off.
owing() {
    [ -n "$OWES" ] || return 0
    (umask 077 && mkdir -p "$STATE" && printf '%s\n' "$OWES" >"$OWED.new" && mv -fT "$OWED.new" "$OWED") || return
    OWES=
}

# settled UNIT: nothing is owed to it any more.
settled() {
    if [ -f "$OWED" ]; then
        sed -i "/^$1 /d" "$OWED" || return
        [ -s "$OWED" ] || rm -f "$OWED"
    fi
}

# quietly COMMAND...: runs it to its end even if the caller has gone, and shows its last lines if it fails.
quietly() {
    TMP=$(mktemp) || return 1
    "$@" >"$TMP" 2>&1
    quiet=$?
    if [ "$quiet" -ne 0 ]; then
        tail -n 20 "$TMP" >&2
        locked=no
        if grep -q 'Could not get lock' "$TMP"; then
            locked=yes
        fi
    fi
    rm -f "$TMP"
    TMP=
    return "$quiet"
}

apt_install() {
    quietly apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends install "$@"
}

# apt's lists have a lock of their own that it does not wait for.
apt_update() {
    tries=0
    until quietly apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Retries=3 update; do
        tries=$((tries + 1))
        if [ "$locked" = no ] && [ "$tries" -ge 3 ] || [ "$tries" -ge 60 ]; then
            return 1
        fi
        sleep 3
    done
}

install_packages() {
    note_packages "$@" || return
    if [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ]; then
        apt_install "$@" && return 0
        if [ -n "$(dpkg --audit 2>/dev/null)" ]; then
            quietly dpkg --configure -a
        fi
    fi
    apt_update || {
        WHY='apt-get update failed'
        return 1
    }
    apt_install "$@" || {
        WHY="apt-get could not install $*"
        return 1
    }
}

create_user() {
    getent group "$1" >/dev/null || { note group "$1" && groupadd --system -- "$1"; } || return
    getent passwd "$1" >/dev/null || {
        note user "$1" &&
            useradd --system --gid "$1" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin -- "$1"
    }
}

# install_release NAME-VERSION URI FOLDER SHA256 PROGRAM...
install_release() {
    home=/opt/promguard
    target=$home/$1
    uri=$2
    folder=$3
    wanted=$4
    shift 4
    note_folders "$home" && note_tree "$target" && note_written "$target" || return 1
    mkdir -p "$home" && TMP=$(mktemp -d "$home/.new.XXXXXX") || return 1
    command -v curl >/dev/null 2>&1 || {
        WHY='curl is not installed'
        return 1
    }
    printf 'url = "%s"\n' "$uri" | curl -q -K - --proto '=http,https' -fsSL --retry 4 --connect-timeout 15 \
        --max-time 900 --speed-limit 1024 --speed-time 60 -o "$TMP/tarball" || {
        curl=$?
        WHY='the tarball could not be fetched'
        return "$curl"
    }
    sum=$(sha256sum <"$TMP/tarball") || return 1
    sum=${sum%% *}
    if [ "$sum" != "$wanted" ]; then
        WHY="sha256 is $sum, wanted $wanted"
        return 1
    fi
    mkdir "$TMP/unpacked" "$TMP/done" || return 1
    for program do
        shift
        set -- "$@" "$folder/$program"
    done
    tar -xzf "$TMP/tarball" -C "$TMP/unpacked" --no-same-owner -- "$@" || {
        WHY='the tarball does not hold the programs wanted'
        return 1
    }
    rm -f "$TMP/tarball"
    for member do
        shift
        program=${member##*/}
        if [ ! -f "$TMP/unpacked/$member" ] || [ -L "$TMP/unpacked/$member" ]; then
            WHY="$member is not a plain file in the tarball"
            return 1
        fi
        mv "$TMP/unpacked/$member" "$TMP/done/$program" || return 1
        set -- "$@" "$program"
    done
    (
        cd "$TMP/done" && chown root:root -- "$@" && chmod 0755 . "$@" || exit
        { printf '%s\n' "$wanted" && sha256sum -- "$@"; } >.promguard || exit
        stat -c "$STAMP" -- "$@" >.promguard-stamp
    ) || return 1
    owing || return 1
    if [ -e "$target" ] || [ -L "$target" ]; then
        mv -T "$target" "$TMP/replaced" || return 1
    fi
    mv -T "$TMP/done" "$target" || return 1
    rm -rf "$TMP"
    TMP=
}

# write_file PATH MODE OWNER CHECK...: the content comes in base64 on standard input.
write_file() {
    path=$1
    mode=$2
    owner=$3
    shift 3
    if [ -d "$path" ] && [ ! -L "$path" ]; then
        WHY="$path is a folder"
        return 1
    fi
    note_path "$path" && note_written "$path" || return 1
    [ -d "${path%/*}" ] || mkdir -p "${path%/*}" || return 1
    suffix=
    if [ $# -gt 0 ]; then
        case ${path##*/} in
            ?*.*) suffix=.${path##*.} ;;
        esac
    fi
    TMP=$(mktemp --suffix="$suffix" "${path%/*}/.promguard.XXXXXX") || return 1
    base64 -d >"$TMP" && chown "$owner:$owner" "$TMP" && chmod "$mode" "$TMP" || return 1
    if [ $# -gt 0 ]; then
        "$@" "$TMP" </dev/null || {
            check=$?
            WHY='the check of the new content failed'
            return "$check"
        }
    fi
    mv -fT "$TMP" "$path" || return 1
    TMP=
    case $path in
        /etc/systemd/system/*) RELOAD=yes ;;
    esac
}

# remove_drop_ins FOLDER...
remove_drop_ins() {
    rm -rf -- "$@" && reload_units
}

# write_secret PATH MODE GROUP: the secret comes in base64 on standard input, and is written to the file alone. Its folder is
# for such files only.
write_secret() {
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        WHY="$1 is a folder"
        return 1
    fi
    note_path "$1" || return 1
    folder=${1%/*}
    if [ ! -d "$folder" ]; then
        mkdir -p "${folder%/*}" && private_folder "$folder" || return 1
    fi
    chown "root:$3" "$folder" && chmod 0750 "$folder" || return 1
    TMP=$(umask 077 && mktemp "${1%/*}/.promguard.XXXXXX") || return 1
    base64 -d >"$TMP" && chown "root:$3" "$TMP" && chmod "$2" "$TMP" || return 1
    mv -fT "$TMP" "$1" || return 1
    TMP=
}

# write_key PATH PUBLICKEY: the key comes in base64 on standard input, and is written to the file alone.
write_key() {
    if [ -d "$1" ]; then
        WHY="$1 is a folder"
        return 1
    fi
    note_path "$1" || return 1
    private_folder "${1%/*}" || return 1
    TMP=$(umask 077 && mktemp "${1%/*}/.promguard.XXXXXX") || return 1
    base64 -d >"$TMP" && chown root:root "$TMP" || return 1
    if [ "$(wg pubkey <"$TMP")" != "$2" ]; then
        WHY='the key that arrived does not belong to the public key wanted'
        return 1
    fi
    mv -fT "$TMP" "$1" || return 1
    TMP=
}

# write_preshared_keys FOLDER PEER...: lines of a peer and its key come in base64 on standard input, and go to the peers' files.
write_preshared_keys() {
    folder=$1
    shift
    if [ -L "$folder" ] || { [ -e "$folder" ] && [ ! -d "$folder" ]; }; then
        WHY="$folder is not a folder"
        return 1
    fi
    note_folders "${folder%/*}" && note_tree "$folder" || return 1
    private_folder "${folder%/*}" && private_folder "$folder" || return 1
    TMP=$(umask 077 && mktemp -d "$folder/.promguard.XXXXXX") || return 1
    base64 -d | (
        umask 077
        while IFS=' ' read -r peer key; do
            printf '%s\n' "$key" >"$TMP/$peer" || exit
        done
    ) || return 1
    for peer do
        if [ ! -s "$TMP/$peer" ]; then
            WHY="the preshared key for $peer did not arrive"
            return 1
        fi
    done
    mv -f "$TMP"/* "$folder/" && rmdir "$TMP" || return 1
    TMP=
}

firewall_rule() {
    note_firewall || return 1
    if [ "$1" = allow ]; then
        note rule "$@" || return 1
    fi
    ufw "$@" </dev/null || {
        WHY='ufw refused the rule'
        return 1
    }
}

# loaded IPTABLES PREFIX: whether ufw's chains are there, hooked in, and closed by default.
loaded() {
    state=$("$1" -S) || return 1
    case $state in *"-P INPUT DROP"*) ;; *) return 1 ;; esac
    case $state in *"-A INPUT -j $2-before-input"*) ;; *) return 1 ;; esac
    case $state in *"-A $2-before-input -j $2-user-input"*) ;; *) return 1 ;; esac
}

# without_ufw IPTABLES: takes away ufw's chains, which ufw itself leaves behind.
without_ufw() {
    "$1-save" -t filter | grep -v -e '^:ufw' -e '-[AI] ufw' -e '-j ufw' | "$1-restore"
}

# reload_closed: has ufw load all its rules anew. Nothing new is let in meanwhile, unlike with ufw's own reload.
reload_closed() {
    for tables in iptables ip6tables; do
        "$tables" -S INPUT >/dev/null 2>&1 || continue
        "$tables" -P INPUT DROP && without_ufw "$tables" || return
    done
    /lib/ufw/ufw-init start
}

enable_firewall() {
    note_firewall || return 1
    case $(cat /etc/default/ufw) in
        *'DEFAULT_INPUT_POLICY="DROP"'*) ;;
        *) ufw default deny incoming || return ;;
    esac
    was=off
    if iptables -S ufw-user-input >/dev/null 2>&1; then
        was=on
    fi
    ufw --force enable || {
        WHY='ufw could not be enabled'
        return 1
    }
    case $(systemctl is-enabled ufw.service 2>/dev/null) in
        enabled) ;;
        *) unmask ufw.service && systemctl enable ufw.service || return ;;
    esac
    if [ "$was" = on ] || ! loaded iptables ufw; then
        reload_closed || return
    fi
    loaded iptables ufw || {
        WHY='ufw says that it is enabled, but its rules are not loaded'
        return 1
    }
    if input=$(ip6tables -S INPUT 2>/dev/null); then
        case $input in
            *'-P INPUT DROP'*) ;;
            *)
                WHY='IPv6 is not closed'
                return 1
                ;;
        esac
    fi
}

show_unit() {
    journalctl --sync 2>/dev/null
    systemctl status --no-pager -l -n 12 -- "$1" >&2
}

# reload_units: has systemd read all unit files anew.
reload_units() {
    systemctl daemon-reload && RELOAD=no
}

# daemon_reload UNIT: the same where the unit's file is another than systemd knows. Once in a run, unless one is written again.
daemon_reload() {
    case ${RELOAD:-$(systemctl show -p NeedDaemonReload --value -- "$1")} in
        yes) reload_units ;;
    esac
}

# unmask UNIT: a unit that somebody masked cannot be enabled. A mask is a link, or an empty file.
unmask() {
    for file in "/etc/systemd/system/$1" "/run/systemd/system/$1"; do
        if [ -e "$file" ] && [ ! -s "$file" ]; then
            case $(systemctl is-enabled -- "$1" 2>/dev/null) in
                masked*) systemctl --quiet unmask -- "$1" && systemctl --quiet --runtime unmask -- "$1" || return ;;
            esac
        fi
    done
}

# enable_unit UNIT: with it, all that this run is to start, for systemd reads every unit file anew each time it enables one.
enable_unit() {
    case " $ENABLED " in *" $1 "*) return 0 ;; esac
    for name in $STARTS; do
        [ "$name" = "$1" ] || set -- "$@" "$name"
    done
    STARTS=
    for name do
        unmask "$name" || {
            WHY="$name is masked and could not be unmasked"
            return 1
        }
        note_unit "$name" || return 1
    done
    systemctl enable -- "$@" || {
        WHY="$* could not be enabled"
        return 1
    }
    ENABLED="$ENABLED $*"
    RELOAD=no
}

# bring_up INTERFACE start|restart: also where somebody brought the interface up, or took it away, without systemd.
bring_up() {
    unit=wg-quick@$1.service
    enable_unit "$unit" || return
    systemctl reset-failed "$unit" 2>/dev/null
    verb=$2
    if systemctl is-active -q "$unit"; then
        verb=restart
    elif ip link show dev "$1" >/dev/null 2>&1; then
        wg-quick down "$1" 2>/dev/null || ip link delete dev "$1" || return
    fi
    systemctl "$verb" "$unit" || {
        WHY="$unit did not come up"
        show_unit "$unit"
        return 1
    }
}

# synced INTERFACE KEYFILE: the running part of the configuration with the keys in it, which wg would clear otherwise. Prints all
# of it or nothing.
synced() {
    wg-quick strip "$1" | awk -v config="/etc/wireguard/$1.conf" -v keyfile="$2" '
        function first(path, line) {
            if ((getline line < path) <= 0 || line == "") failed = 1
            close(path)
            return line
        }
        BEGIN {
            while ((getline line < config) > 0) {
                if (line ~ /^PostUp = wg set %i peer [^ ]+ preshared-key [^ ]+$/) {
                    split(line, word, " ")
                    file[word[7]] = word[9]
                }
            }
        }
        { text = text $0 "\n" }
        $0 == "[Interface]" { text = text "PrivateKey = " first(keyfile) "\n" }
        $1 == "PublicKey" && ($3 in file) { text = text "PresharedKey = " first(file[$3]) "\n" }
        END {
            if (failed || text == "") exit 1
            printf "%s", text
        }'
}

# sync_peers INTERFACE KEYFILE
sync_peers() {
    running=$(synced "$1" "$2") || {
        WHY="the configuration of $1 or a key that it names cannot be read"
        return 1
    }
    printf '%s\n' "$running" | wg syncconf "$1" /dev/stdin || {
        running=
        WHY='wg syncconf failed'
        return 1
    }
    running=
}

# forget_preshared_keys INTERFACE: removes those that the configuration does not name any more.
forget_preshared_keys() {
    [ -d "/etc/wireguard/$1.psk" ] || return 0
    config=$(cat "/etc/wireguard/$1.conf") || return
    for file in "/etc/wireguard/$1.psk"/*; do
        case $config$LF in
            *" preshared-key $file$LF"*) ;;
            *) rm -f -- "$file" || return ;;
        esac
    done
}

# fence INTERFACE ADDRESS: drops what comes to the address by another interface, whatever ufw is told. It is the rule that the
# configuration has wg-quick add, who knows it by its comment and takes it away with the interface.
fence() {
    tables=iptables
    case $2 in *:*) tables=ip6tables ;; esac
    set -- PREROUTING -d "${2%/*}" ! -i "$1" -m addrtype ! --src-type LOCAL \
        -m comment --comment "wg-quick(8) rule for $1" -j DROP
    "$tables" -w -t raw -C "$@" 2>/dev/null || "$tables" -w -t raw -I "$@" || {
        WHY="$tables could not shut the address off from other interfaces"
        return 1
    }
}

# unfence INTERFACE: for one that went without wg-quick.
unfence() {
    for tables in iptables ip6tables; do
        "$tables" -t raw -S PREROUTING 2>/dev/null |
            sed -n "/\"wg-quick(8) rule for $1\"/s/^-A /-w -t raw -D /p" | xargs -r -L 1 "$tables" || return
    done
}

# wireguard HOW INTERFACE KEYFILE PUBLICKEY ADDRESS
wireguard() {
    case $1 in
        ENABLE) enable_unit "wg-quick@$2.service" || return ;;
        SYNC)
            sync_peers "$2" "$3" && forget_preshared_keys "$2" || return
            ;;
        START) bring_up "$2" start && forget_preshared_keys "$2" || return ;;
        RESTART) bring_up "$2" restart && forget_preshared_keys "$2" || return ;;
    esac
    fence "$2" "$5" || return
    if [ "$(wg show "$2" public-key)" != "$4" ]; then
        WHY="$2 runs with another key"
        return 1
    fi
    case $(ip -o addr show dev "$2") in
        *" $5 "*) ;;
        *)
            WHY="$2 has not the address $5"
            return 1
            ;;
    esac
}

# stays_active UNIT: a unit that dies at once has failed, even if systemd means to start it again. A timer has nothing to die of.
stays_active() {
    looks=0
    steady=0
    wanted=2
    restarts=
    case $1 in *.timer) wanted=1 ;; esac
    while [ "$looks" -lt 50 ]; do
        now=$(systemctl show -p NRestarts,ActiveState,SubState -- "$1")
        count=${now#*NRestarts=}
        count=${count%%[!0-9]*}
        case $now in
            *auto-restart*) return 1 ;;
            *ActiveState=active*) steady=$((steady + 1)) ;;
            *ActiveState=activating* | *ActiveState=reloading*) steady=0 ;;
            *) return 1 ;;
        esac
        [ "${restarts:=$count}" = "$count" ] || return 1
        [ "$steady" -lt "$wanted" ] || return 0
        looks=$((looks + 1))
        sleep 0.3
    done
    return 1
}

# unit HOW UNIT
unit() {
    case $1 in
        ENABLE)
            enable_unit "$2"
            return
            ;;
        STOP)
            systemctl stop -- "$2" || {
                WHY="$2 did not stop"
                return 1
            }
            return
            ;;
        RELOAD)
            daemon_reload "$2" || return
            systemctl reload "$2"
            ;;
        START)
            enable_unit "$2" || return
            systemctl reset-failed "$2" 2>/dev/null
            systemctl start "$2"
            ;;
        RESTART)
            daemon_reload "$2" || return
            systemctl reset-failed "$2" 2>/dev/null
            systemctl restart "$2"
            ;;
    esac || {
        WHY="$2 did not $(printf %s "$1" | tr "[:upper:]" "[:lower:]")"
        show_unit "$2"
        return 1
    }
    stays_active "$2" || {
        WHY="$2 does not stay up"
        show_unit "$2"
        return 1
    }
    settled "$2"
}

# mask_unit UNIT: also before the package that brings it is there. Where the host stays and had the unit before, the mask goes
# with the mesh; else it stays with the package.
mask_unit() {
    if systemctl cat -- "$1" >/dev/null 2>&1; then
        note_path "/etc/systemd/system/$1" || return
    fi
    systemctl mask -- "$1" || {
        WHY="$1 could not be masked"
        return 1
    }
    if systemctl is-active -q "$1"; then
        systemctl stop -- "$1" || {
            WHY="$1 did not stop"
            return 1
        }
    fi
}

# remove_unit UNIT: its file goes last, so that a run that is cut off leaves it to be seen.
remove_unit() {
    systemctl disable --now -- "$1" || {
        WHY="$1 did not stop"
        show_unit "$1"
        return 1
    }
    rm -f "/etc/systemd/system/$1" && reload_units || return
    forget_written "/etc/systemd/system/$1" || return
    systemctl reset-failed "$1" 2>/dev/null
    settled "$1"
}

# remove_file PATH: a file, or the folder of a release; and the folder that PromGuard made for it, if nothing else is in it.
remove_file() {
    rm -rf -- "$1" && forget_written "$1" || return
    case $1 in
        /etc/promguard/*) rmdir --ignore-fail-on-non-empty "${1%/*}" ;;
    esac
}

# replace_host_key NUMBER: shows the new key, and uses it only after the answer that it was written down.
replace_host_key() {
    mkdir -p /run/sshd || return
    sshd -T 2>/dev/null | grep -qix 'hostkey /etc/ssh/ssh_host_ed25519_key' || {
        WHY='the configuration of sshd does not use /etc/ssh/ssh_host_ed25519_key'
        return 1
    }
    TMP=$(mktemp -d /etc/ssh/.promguard.XXXXXX) || return
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$TMP/key" || return
    read -r type blob _ <"$TMP/key.pub"
    say hostkey "$1" "$type" "$blob"
    answer=$(timeout 120 head -n 1 <&4)
    if [ "$answer" != "go $N" ]; then
        WHY='no leave came to use the new host key'
        return 1
    fi
    chmod 0644 "$TMP/key.pub" || return
    mv -fT "$TMP/key.pub" /etc/ssh/ssh_host_ed25519_key.pub || return
    mv -fT "$TMP/key" /etc/ssh/ssh_host_ed25519_key || return
    rm -rf "$TMP"
    TMP=
    for key in /etc/ssh/ssh_host_*_key; do
        if [ "$key" != /etc/ssh/ssh_host_ed25519_key ]; then
            rm -f "$key" "$key.pub"
        fi
    done
    sshd -t || {
        WHY='sshd refuses its configuration'
        return 1
    }
    if systemctl is-active -q ssh.service; then
        systemctl reload ssh.service || return
    fi
}

# arm SECONDS INTERFACE UNIT...: the script that puts things back comes on standard input. What was saved earlier and never
# confirmed stays as it was saved.
arm() {
    seconds=$1
    interface=$2
    shift 2
    private_folder "$STATE" || return
    # A rollback that has begun waits for this run to end, and so is brought to its end here.
    if [ -e "$STATE/rollback.sh" ] || [ -d "$STATE/rolling-back" ]; then
        finish_rollback || {
            WHY='an earlier rollback could not be brought to its end'
            return 1
        }
    fi
    rm -f "$STATE/rolled-back"
    umask 077
    if [ ! -d "$STATE/rollback" ]; then
        TMP=$(mktemp -d "$STATE/.new.XXXXXX") || return
        mkdir "$TMP/ufw" "$TMP/wireguard" "$TMP/ssh" || return
        : >"$TMP/units"
        printf '%s\n' "$interface" >"$TMP/interface"
        for file in /etc/default/ufw /etc/ufw/ufw.conf /etc/ufw/user.rules /etc/ufw/user6.rules; do
            if [ -e "$file" ]; then
                folder=${file%/*}
                cp -pP "$file" "$TMP/ufw/etc:${folder##*/}:${file##*/}" || return
            fi
        done
        if grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
            : >"$TMP/ufw-enabled"
        fi
        for file in "/etc/wireguard/$interface.conf" "/etc/wireguard/$interface.key" "/etc/wireguard/$interface.psk"; do
            if [ -e "$file" ]; then
                cp -pPR "$file" "$TMP/wireguard/" || return
            fi
        done
        if systemctl is-active -q "wg-quick@$interface.service"; then
            : >"$TMP/wireguard-active"
        fi
        if systemctl is-enabled -q "wg-quick@$interface.service" 2>/dev/null; then
            : >"$TMP/wireguard-enabled"
        fi
        (
            set -- /etc/ssh/ssh_host_*
            [ ! -e "$1" ] || cp -pP "$@" "$TMP/ssh/"
        ) || return
        mv -T "$TMP" "$STATE/rollback" || return
        TMP=
    fi
    known=$(cat "$STATE/rollback/units") || return
    states=$([ $# -eq 0 ] || systemctl is-active -- "$@")$LF
    for name do
        state=${states%%"$LF"*}
        states=${states#*"$LF"}
        case $state in
            '') return 1 ;;
            active | reloading | refreshing) active=yes ;;
            *) active=no ;;
        esac
        case $LF$known in
            *"$LF$name "*) ;;
            *) printf '%s %s\n' "$name" "$active" >>"$STATE/rollback/units" ;;
        esac
    done
    base64 -d >"$STATE/rollback.sh" || return
    umask 022
    at_boot=/etc/systemd/system/promguard-rollback-boot
    printf '[Unit]\nDescription=Put back what PromGuard changed and nobody confirmed\n[Service]\nType=oneshot\nExecStart=/bin/sh %s\n' \
        "$STATE/rollback.sh" >"$at_boot.service" || return
    printf '[Unit]\nDescription=Wait for the confirmation of what PromGuard changed\n[Timer]\nOnActiveSec=%s\nAccuracySec=1s\n' \
        "$seconds" >"$at_boot.timer" || return
    mkdir -p /etc/systemd/system/timers.target.wants
    ln -sfT "$at_boot.timer" /etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer || return
    systemctl reset-failed promguard-rollback.service promguard-rollback.timer 2>/dev/null
    systemd-run --quiet --unit=promguard-rollback --on-active="$seconds" --timer-property=AccuracySec=1s \
        /bin/sh "$STATE/rollback.sh" || {
        WHY='the timer that would roll back could not be set'
        return 1
    }
    ARMED=yes
    say armed
}
