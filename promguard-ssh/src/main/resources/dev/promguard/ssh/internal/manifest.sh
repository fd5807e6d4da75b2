# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# What PromGuard put on the host. What is noted is on disk before it is done, so that a run that is cut off leaves nothing unnoted. On a host
# that stays when the mesh goes, what was there before is saved too; on others only the paths that were written are noted.

# facts_manifest: what PromGuard put on a host that stays when the mesh goes.
facts_manifest() {
    [ -r "$MANIFEST/mesh" ] || return 0
    read -r mesh <"$MANIFEST/mesh"
    say manifest "$mesh"
    sed -n -e "/^unit /s/^/$N${TAB}thing${TAB}/p" -e "/^file /s/^/$N${TAB}thing${TAB}/p" \
        -e "/^replaced /s/^/$N${TAB}thing${TAB}/p" -e "/^package /s/^/$N${TAB}thing${TAB}/p" \
        -e "/^masked /s/^/$N${TAB}thing${TAB}/p" "$MANIFEST/things" >&3
}

# facts_managed: what this or an earlier run wrote down that it put there, as far as it is still there.
facts_managed() {
    [ -r "$STATE/written" ] || return 0
    grep -xE -e '/etc/systemd/system/[A-Za-z0-9_@:][A-Za-z0-9_@:.-]*\.(service|socket)' \
        -e '/etc/prometheus/([A-Za-z0-9_-]+/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\.yml' \
        -e '/etc/promguard/[A-Za-z0-9_-]+/[A-Za-z0-9_][A-Za-z0-9_.-]*' \
        -e '/opt/promguard/[A-Za-z0-9_][A-Za-z0-9_.+-]*' "$STATE/written" |
        while read -r path; do
            if [ -f "$path" ] || [ -L "$path" ] || [ -f "$path/.promguard" ]; then
                say managed "$path"
            fi
        done
}

# apply_manifest MESH: begins the record.
apply_manifest() {
    [ ! -d "$MANIFEST" ] || return 0
    rm -rf "$STATE/taken-off"
    TMP=$(umask 077 && mkdir -p "$STATE" && mktemp -d "$STATE/.new.XXXXXX") || return
    (umask 077 && printf '%s\n' "$1" >"$TMP/mesh" && : >"$TMP/things") && put_in_place "$TMP" "$MANIFEST" && sync "$STATE" || return
    TMP=
}

# note KIND THING...
note() {
    [ -d "$MANIFEST" ] || return 0
    grep -qxF -e "$*" "$MANIFEST/things" && return
    printf '%s\n' "$*" >>"$MANIFEST/things" && sync "$MANIFEST/things"
}

# forget_noted KIND THING...: what is not PromGuard's after all.
forget_noted() {
    kind=$1
    shift
    for thing do
        without_lines "$MANIFEST/things" "$kind $thing" || return
    done
}

# note_folders FOLDER: those of its path that are not there yet, the outermost first.
note_folders() {
    if [ -d "$MANIFEST" ] && [ -n "$1" ] && [ ! -d "$1" ]; then
        note_folders "${1%/*}" && note folder "$1"
    fi
}

# note_tree FOLDER: one that is to go with all that is in it. One that was there before stays, and if it was empty, empty again with its mode
# and owner; if not, with all that is in it.
note_tree() {
    if [ ! -e "$1" ]; then
        note tree "$1"
    elif [ -d "$1" ] && [ -z "$(data_in "$1")" ]; then
        grep -q -e "^empty [0-7]* [0-9:]* $1\$" "$MANIFEST/things" || note empty "$(stat -L -c '%a %u:%g' -- "$1")" "$1"
    fi
}

# data_in FOLDER: what is in it, but for what a file system has of its own.
data_in() {
    find -H "$1" -mindepth 1 -maxdepth 1 ! -name lost+found 2>/dev/null
}

# facts_state_folders FOLDER...: used FOLDER for each that is there with data in it.
facts_state_folders() {
    for folder do
        if [ -n "$(data_in "$folder" | head -n 1)" ] || { [ -e "$folder" ] && [ ! -d "$folder" ]; }; then
            say fact state-folders used "$folder"
        fi
    done
}

# note_path PATH: a file about to be written. One that was there before is saved, to be put back.
note_path() {
    [ -d "$MANIFEST" ] || return 0
    if grep -qxF -e "file $1" -e "replaced $1" "$MANIFEST/things"; then
        return 0
    elif [ -e "$1" ] || [ -L "$1" ]; then
        (umask 077 && mkdir -p "$MANIFEST/files${1%/*}") && cp -aT "$1" "$MANIFEST/files$1" && durable "$MANIFEST" && note replaced "$1"
    else
        note_folders "${1%/*}" && note file "$1"
    fi
}

# note_packages NAME...: those that are missing.
note_packages() {
    [ -d "$MANIFEST" ] || return 0
    for package do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            note package "$package" || return
        fi
    done
}

# note_unit UNIT: a unit about to be started, with the folder for its data if that is not there yet.
note_unit() {
    [ -d "$MANIFEST" ] || return 0
    note unit "$1" || return
    for folder in $(systemctl show -p StateDirectory --value -- "$1"); do
        note_tree "/var/lib/$folder" || return
    done
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
        without_lines "$STATE/written" "$1"
    fi
}

# manifest_entries KIND: what is noted of a kind, the last first.
manifest_entries() {
    [ -r "$MANIFEST/things" ] || return 0
    # Unlike tac, it needs no room for a file of its own.
    sed -n "s/^$1 //p" "$MANIFEST/things" | awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }'
}

undo_files() {
    for path in $(manifest_entries file); do
        rm -f -- "$path" || return
    done
    for path in $(manifest_entries replaced); do
        put_back "$MANIFEST/files$path" "$path" || return
        say leftover "$path, put back as it was before"
    done
    for path in $(manifest_entries tree); do
        rm -rf -- "$path" || return
    done
    manifest_entries empty | while read -r mode owner path; do
        [ -d "$path" ] || continue
        find -H "$path" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf -- {} + && chmod "$mode" "$path" && chown "$owner" "$path" || exit
    done || return
    rm -rf /opt/promguard/.new.*
    for path in $(manifest_entries folder); do
        if [ -d "$path" ]; then
            rmdir -- "$path" 2>/dev/null || say leftover "$path, for it holds what is not from PromGuard"
        fi
    done
    systemctl daemon-reload && undo_masks || return
    for user in $(manifest_entries user); do
        if getent passwd "$user" >/dev/null; then
            group=$(getent group "$user")
            userdel -- "$user" || return
            # It takes the group of the same name with it, which may be the owner's.
            if [ -n "$group" ] && ! getent group "$user" >/dev/null && ! manifest_entries group | grep -qxF -e "$user"; then
                group=${group#*:*:}
                groupadd --gid "${group%%:*}" -- "$user" || return
            fi
        fi
    done
    for group in $(manifest_entries group); do
        if getent group "$group" >/dev/null; then
            groupdel -- "$group" || return
        fi
    done
    packages=$(manifest_entries package | sort | tr '\n' ' ')
    if [ -n "$packages" ]; then
        say leftover "packages that PromGuard installed: ${packages% }"
    fi
    rm -f "$PENDING" "$STATE/written"
    if [ -d "$MANIFEST" ]; then
        # What was put back is on disk before its copies can go.
        sync -f "$MANIFEST" /etc && rm -rf "$STATE/taken-off" && mv -T "$MANIFEST" "$STATE/taken-off"
    fi
}
