# shellcheck shell=sh disable=SC2154
# Functions that write down what is put on a host that stays when the mesh goes, and keep what was there before. They do
# nothing on other hosts. What is noted is on disk before it is done, so that a run that is cut off leaves nothing unnoted.

# remember MESH: begins the record.
remember() {
    [ ! -d "$LEDGER" ] || return 0
    rm -rf "$STATE/taken-off"
    TMP=$(umask 077 && mkdir -p "$STATE" && mktemp -d "$STATE/.new.XXXXXX") || return
    (umask 077 && printf '%s\n' "$1" >"$TMP/mesh" && : >"$TMP/things") && sync "$TMP/mesh" && mv -T "$TMP" "$LEDGER" && sync "$STATE" || return
    TMP=
}

# note_written PATH: on every host, a file or the folder of a release about to be put where PromGuard removes again what a later
# spec has no use for. What stands here may be removed, and nothing else.
note_written() {
    case $1 in
        /etc/systemd/system/* | /etc/prometheus/* | /etc/promguard/* | /opt/promguard/*) ;;
        *) return 0 ;;
    esac
    if [ -f "$STATE/written" ] && grep -qxF -e "$1" "$STATE/written"; then
        return 0
    fi
    private_folder "$STATE" && (umask 077 && printf '%s\n' "$1" >>"$STATE/written") && sync "$STATE/written"
}

# forget_written PATH: one that was removed.
forget_written() {
    if [ -f "$STATE/written" ] && grep -qxF -e "$1" "$STATE/written"; then
        sed -i "\\|^$1\$|d" "$STATE/written"
    fi
}

# note KIND THING...
note() {
    [ -d "$LEDGER" ] || return 0
    grep -qxF -e "$*" "$LEDGER/things" && return
    printf '%s\n' "$*" >>"$LEDGER/things" && sync "$LEDGER/things"
}

# note_folders FOLDER: those of its path that are not there yet, the outermost first.
note_folders() {
    if [ -d "$LEDGER" ] && [ -n "$1" ] && [ ! -d "$1" ]; then
        note_folders "${1%/*}" && note folder "$1"
    fi
}

# note_tree FOLDER: one that is to go with all that is in it, unless it was there before.
note_tree() {
    [ -e "$1" ] || note tree "$1"
}

# note_path PATH: a file about to be written. One that was there before is kept, to be put back.
note_path() {
    [ -d "$LEDGER" ] || return 0
    if grep -qxF -e "file $1" -e "replaced $1" "$LEDGER/things"; then
        return 0
    elif [ -e "$1" ] || [ -L "$1" ]; then
        (umask 077 && mkdir -p "$LEDGER/files${1%/*}") && cp -aT "$1" "$LEDGER/files$1" && sync "$LEDGER" && note replaced "$1"
    else
        note_folders "${1%/*}" && note file "$1"
    fi
}

# note_packages NAME...: those that are missing.
note_packages() {
    [ -d "$LEDGER" ] || return 0
    for package do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            note package "$package" || return
        fi
    done
}

# note_unit UNIT: a unit about to be started, with the folder for its data if that is not there yet.
note_unit() {
    [ -d "$LEDGER" ] || return 0
    note unit "$1" || return
    for folder in $(systemctl show -p StateDirectory --value -- "$1"); do
        note_tree "/var/lib/$folder" || return
    done
}

# note_firewall: how ufw was before its first change.
note_firewall() {
    if [ ! -d "$LEDGER" ] || [ -d "$LEDGER/ufw" ]; then
        return 0
    fi
    TMP=$(mktemp -d "$LEDGER/.new.XXXXXX") || return
    for file in /etc/default/ufw /etc/ufw/ufw.conf /etc/ufw/user.rules /etc/ufw/user6.rules; do
        if [ -e "$file" ]; then
            cp -pP "$file" "$TMP/${file##*/}.$(basename "${file%/*}")" || return
        fi
    done
    for tables in iptables ip6tables; do
        "$tables" -S 2>/dev/null | grep '^-P ' >"$TMP/$tables"
    done
    if grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf; then
        : >"$TMP/enabled"
    fi
    systemctl is-enabled ufw.service >"$TMP/at-boot" 2>/dev/null
    mv -T "$TMP" "$LEDGER/ufw" && sync "$LEDGER" || return
    TMP=
}
