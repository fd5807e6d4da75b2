# shellcheck shell=sh disable=SC2154
confirm() {
    if disarm; then
        say confirm disarmed
    elif [ -d "$STATE/rolling-back" ] || [ -e "$STATE/rolled-back" ]; then
        say confirm rolled-back
    else
        say confirm none
    fi
}
