# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The host as a whole: its first boot, system, clock, addresses and sockets.

# first_boot SECONDS: waits until cloud-init is done, and fails if it is not in time, or ended in an error.
first_boot() {
    command -v cloud-init >/dev/null 2>&1 || return 0
    [ ! -e /etc/cloud/cloud-init.disabled ] || return 0
    [ ! -e /run/cloud-init/disabled ] || return 0
    boot=0
    tries=0
    # To test for the file costs a host that is busy booting far less than to start cloud-init's own command, which is for long boots.
    while [ ! -e /run/cloud-init/result.json ] && [ "$tries" -lt 100 ] && [ "$tries" -lt "$1" ]; do
        tries=$((tries + 1))
        sleep 0.2
    done
    if [ ! -e /run/cloud-init/result.json ]; then
        timeout "$(($1 - tries / 5))" cloud-init status --wait >/dev/null 2>&1
        boot=$?
    fi
    if [ "$boot" -eq 124 ]; then
        say boot late ''
        return 1
    fi
    if [ -r /run/cloud-init/result.json ]; then
        if boot_errors; then
            return 0
        fi
    elif [ "$boot" -ne 1 ]; then
        return 0
    else
        result=
    fi
    say boot error "$result"
    return 1
}

# boot_errors: sets what cloud-init reports to have failed, and fails if something did.
boot_errors() {
    result=
    while read -r line || [ -n "$line" ]; do
        result="$result$line "
    done </run/cloud-init/result.json
    case $result in *'"errors": []'*) return 0 ;; esac
    result="errors: ${result#*\"errors\":}"
    return 1
}

# facts_first_boot: how cloud-init went, without waiting for it.
facts_first_boot() {
    command -v cloud-init >/dev/null 2>&1 || return 0
    if [ -r /run/cloud-init/result.json ]; then
        boot_errors || say fact first-boot failed "$(printf %.1000s "$result" | tr -c '[:print:]' ' ')"
        return 0
    fi
    [ ! -e /etc/cloud/cloud-init.disabled ] || return 0
    [ ! -e /run/cloud-init/disabled ] || return 0
    # Its units have jobs as long as one of them runs or waits for its turn.
    case $(systemctl list-jobs --plain --no-legend 'cloud-*' 2>/dev/null) in
        *' start '*) say fact first-boot running ;;
        *) say fact first-boot not-run ;;
    esac
}

# facts_kernel: the running kernel, and whether it has no WireGuard and can load none. Where that cannot be told, it says nothing of it.
facts_kernel() {
    release=$(uname -r)
    say fact kernel release "$release"
    if [ -e /sys/module/wireguard ] || command -v wireguard-go >/dev/null 2>&1; then
        return 0
    fi
    if ! command -v modprobe >/dev/null 2>&1 || modprobe -n -q wireguard; then
        return 0
    fi
    modules=no
    if [ -d "/lib/modules/$release" ]; then
        modules=yes
    fi
    say fact kernel without-wireguard "$release" "$modules"
}

facts_system() {
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

# facts_clock: whether it is synchronized. systemd-timesyncd leaves a file that is quicker to read than its answer.
facts_clock() {
    if [ -e /run/systemd/timesync/synchronized ]; then
        say clock yes
    elif command -v timedatectl >/dev/null 2>&1; then
        say clock "$(timeout 5 timedatectl show -p NTPSynchronized --value 2>/dev/null)"
    fi
}

# facts_addresses INTERFACE
facts_addresses() {
    ip -o addr show scope global | while read -r _ device _ address _; do
        if [ "$device" = "$1" ]; then
            say wg-address "$address"
        elif [ "$device" != lo ]; then
            say address "$address"
        fi
    done
}

facts_listening() {
    command -v ss >/dev/null 2>&1 || return 0
    ss -Hltun | while read -r protocol _ _ _ socket _; do
        say socket "$protocol" "$socket"
    done
}
