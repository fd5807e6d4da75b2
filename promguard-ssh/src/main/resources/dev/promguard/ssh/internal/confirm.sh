# shellcheck shell=sh disable=SC2154
confirm() {
    disarm
    case $? in
        0) say confirm disarmed ;;
        2) say confirm busy ;;
        *)
            if [ -d "$STATE/rolling-back" ]; then
                say confirm rolling-back
            elif [ -e "$STATE/rolled-back" ]; then
                say confirm rolled-back
            else
                say confirm none
            fi
            ;;
    esac
}
