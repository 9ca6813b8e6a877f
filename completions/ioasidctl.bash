# bash completion for ioasidctl; printed by `ioasidctl completion bash`
_ioasidctl_names()
{
	local i socket=()
	for ((i = 1; i + 1 < ${#COMP_WORDS[@]}; i++)); do
		[[ ${COMP_WORDS[i]} == --socket || ${COMP_WORDS[i]} == -s ]] &&
			socket=(--socket "${COMP_WORDS[i + 1]}")
	done
	ioasidctl show --names "${socket[@]}" 2>/dev/null
}

_ioasidctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			COMPREPLY=($(compgen -c -f -- "$cur"))
			return
			;;
		check | plan | apply | show | monitor | delete | run | exec | translate | invalidate | dirty | faults | host | explain | serve | daemon | version | completion | help)
			[[ $verb ]] || verb=${COMP_WORDS[i]}
			;;
		esac
	done
	case $prev in
	--socket | -s)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--driver | -d)
		COMPREPLY=($(compgen -W 'auto iommufd vfio ioasid' -- "$cur"))
		return
		;;
	--machine | -m)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--pasid)
		:
		return
		;;
	--access)
		:
		return
		;;
	--ready-fd)
		:
		return
		;;
	--answer)
		COMPREPLY=($(compgen -W 'success invalid' -- "$cur"))
		return
		;;
	--bitmap)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--page-size)
		:
		return
		;;
	--node)
		:
		return
		;;
	--device)
		:
		return
		;;
	--group)
		:
		return
		;;
	--host-driver)
		:
		return
		;;
	--root)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--memory)
		:
		return
		;;
	--color)
		COMPREPLY=($(compgen -W 'auto always never' -- "$cur"))
		return
		;;
	esac
	local options=
	case $verb in
	check)
		options=' --json --driver --machine --verbose --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -f -- "$cur"))
		;;
	plan)
		options=' --json --socket --driver --machine --verbose --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -f -- "$cur"))
		;;
	apply)
		options=' --json --socket --driver --machine --dry-run --no-verify --verbose --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -f -- "$cur"))
		;;
	show)
		options=' --json --yaml --dot --names --socket --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	monitor)
		options=' --json --socket --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	delete)
		options=' --json --socket --dry-run --verbose --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	run)
		options=' --json --driver --machine --no-verify --verbose --color --help --version --'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -f -- "$cur"))
		;;
	exec)
		options=' --json --socket --raw --color --help --version --'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	translate)
		options=' --json --socket --pasid --access --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	invalidate)
		options=' --json --socket --verbose --leaf --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	dirty)
		options=' --json --socket --verbose --bitmap --page-size --no-clear --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	faults)
		options=' --json --socket --verbose --answer --follow --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- "$cur"))
		;;
	host)
		options=' --json --device --group --host-driver --root --color --help --version'
		[[ $cur == -* ]] || :
		;;
	explain)
		options=' --json --root --memory --color --help --version'
		[[ $cur == -* ]] || :
		;;
	serve)
		options=' --json --machine --ready-fd --node --color --help --version'
		[[ $cur == -* ]] || :
		;;
	daemon)
		options=' --json --socket --machine --verbose --keep --teardown --takeover --exit-idle --ready-fd --color --help --version'
		[[ $cur == -* ]] || :
		;;
	version)
		options=' --json --color --help --version'
		[[ $cur == -* ]] || :
		;;
	completion)
		options=' --json --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"))
		;;
	help)
		options=' --json --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W 'check plan apply show monitor delete run exec translate invalidate dirty faults host explain serve daemon version completion help' -- "$cur"))
		;;
	*)
		options=' --json --color --help --version'
		[[ $cur == -* ]] || COMPREPLY=($(compgen -W 'check plan apply show monitor delete run exec translate invalidate dirty faults host explain serve daemon version completion help' -- "$cur"))
		;;
	esac
	[[ $cur == -* ]] && COMPREPLY=($(compgen -W "$options" -- "$cur"))
}
complete -o filenames -F _ioasidctl ioasidctl
