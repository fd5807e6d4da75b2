# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Programs from release tarballs.

# facts_release NAME-VERSION PROGRAM...: programs whose stamp is unchanged were not written to; others are summed again.
facts_release() {
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

# push_releases: this host fetches none itself.
push_releases() {
    PUSHED=yes
}

# get_tarball URI: fetches it, or has it sent over the session where that fails. A mirror that did not answer is not asked again.
get_tarball() {
    mirror=${1#*://}
    mirror=${mirror%%/*}
    mirror=${mirror##*@}
    curl=1
    case ${PUSHED:-$1} in
        http*) ;;
        *)
            WHY='the machine that runs PromGuard did not send the tarball'
            receive_tarball
            return
            ;;
    esac
    if [ "$mirror" != "$UNREACHED" ]; then
        fetch_tarball "$1" && return
        curl=$?
        # The tarball would find no more room if it came another way.
        [ -z "$(lack_of_room "$curl" "$home")" ] || return "$curl"
        UNREACHED=$mirror
    fi
    WHY='neither this host nor the machine that runs PromGuard could fetch the tarball'
    receive_tarball || {
        code=$?
        # A limit shows in the code.
        [ "$code" -eq 153 ] || code=$curl
        return "$code"
    }
    say note "this host could not fetch from the release mirror $mirror: the release came over the SSH session"
}

fetch_tarball() {
    printf 'url = "%s"\n' "$1" | curl -q -K - --proto '=http,https' -fsSL --retry 4 --connect-timeout 15 \
        --max-time 900 --speed-limit 1024 --speed-time 60 -o "$TMP/tarball"
}

# receive_tarball: asks for it. Its size comes in a line, or "none", and then itself.
receive_tarball() {
    say tarball "$number"
    read -r size <&4 || size=
    case $size in
        none) return 1 ;;
        '' | *[!0-9]*)
            WHY='the connection was lost while a tarball was awaited'
            return 1
            ;;
    esac
    # All of it is read, also where it finds no room: nobody could send it otherwise, and the connection would not end in peace.
    head -c "$size" <&4 | {
        cat >"$TMP/tarball"
        code=$?
        cat >/dev/null
        exit "$code"
    }
    code=$?
    if [ "$code" -eq 0 ] && [ "$(stat -c %s "$TMP/tarball")" -eq "$size" ]; then
        return 0
    fi
    WHY='the tarball did not arrive'
    [ "$code" -ne 0 ] || code=1
    return "$code"
}

# apply_release NAME-VERSION URI FOLDER SHA256 PROGRAM...
apply_release() {
    home=/opt/promguard
    target=$home/$1
    uri=$2
    folder=$3
    wanted=$4
    shift 4
    note_folders "$home" && note_tree "$target" && note_written "$target" || return 1
    mkdir -p "$home" && TMP=$(mktemp -d "$home/.new.XXXXXX") || return 1
    get_tarball "$uri" || return
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
        code=$?
        [ -n "$(lack_of_room "$code" "$home")" ] || WHY='the tarball does not hold the programs wanted'
        return "$code"
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
    durable "$TMP/done" && note_pending || return 1
    if [ -e "$target" ] || [ -L "$target" ]; then
        mv -T "$target" "$TMP/replaced" || return 1
    fi
    put_in_place "$TMP/done" "$target" || return 1
    rm -rf "$TMP"
    TMP=
}
