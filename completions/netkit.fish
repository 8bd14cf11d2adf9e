# Completion of netkit for fish. It asks netkit itself; see `netkit completion`.
# Installed as share/fish/vendor_completions.d/netkit.fish, or: netkit completion fish | source

function __netkit_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (string unescape -- (commandline -ct))
    or set current (commandline -ct)
    set -l lines ($program __complete $words "$current" 2>/dev/null)
    or return
    set -l directive $lines[-1]
    set -e lines[-1]
    test (count $lines) -gt 0; and string join -- \n $lines
    switch $directive
        case :file
            __fish_complete_path "$current"
        case :folder
            __fish_complete_directories "$current"
    end
end

complete -c netkit -f -a '(__netkit_complete)'
