# shellcheck shell=bash
# Real configurations, on a host that has what they name. ROOTLATCH_CORPUS names the folder: NAME.conf,
# and verdicts.tsv with `NAME.conf accept|reject` in each line. A test sources this file, which skips
# all of it where there is none, before it enters the sandbox.

[ -f "$ROOTLATCH_CORPUS/verdicts.tsv" ] ||
	skip_all "no corpus of configurations at \$ROOTLATCH_CORPUS ($ROOTLATCH_CORPUS)"

main=/etc/ssh/sshd_config

# corpus_each FUNCTION: calls it with each name and verdict, the file in place as sshd's. The verdict
# is sshd 9.2's; the one that runs here is to be asked again.
corpus_each()
{
	local name verdict

	while read -r name verdict; do
		[ "$name" != file ] || continue
		etc_ssh_reset
		provide "$ROOTLATCH_CORPUS/$name"
		write $main <"$ROOTLATCH_CORPUS/$name"
		"$1" "$name" "$verdict"
	done <"$ROOTLATCH_CORPUS/verdicts.tsv"
}

# provide FILE: the addresses, host keys and folders that it names
provide()
{
	local keyword value type

	while read -r keyword value _; do
		value=${value//\"/}
		case ${keyword,,} in
		listenaddress) provide_address "$value" ;;
		hostkey)
			for type in rsa ecdsa ed25519 dsa; do
				[[ $value != *$type* ]] || break
			done
			[ "$type" != dsa ] || [[ $value == *dsa* ]] || type=ed25519
			provide_file "$value" "/root/keys/ssh_host_${type}_key" 600
			;;
		include | chrootdirectory) [[ $value != /* ]] || mkdir -p "${value%/*}" ;;
		banner | revokedkeys | trustedusercakeys | modulifile)
			[[ $value != /* ]] || provide_file "$value" /dev/null 644 ;;
		esac
	done < <(tr -d '\r' <"$1" | sed 's/[ \t]*=[ \t]*/ /')
}

provide_file()
{
	local folder

	[ ! -e "$1" ] || return
	folder=$(dirname "$1")
	mkdir -p "$folder" 2>/dev/null
	# All of /usr is read-only in here, but a folder in it may be covered.
	[ -w "$folder" ] || { mount -t tmpfs tmpfs /usr/local/etc && mkdir -p "$folder"; }
	cp "$2" "$1" && chmod "$3" "$1"
}

provide_address()
{
	local address=$1

	case $address in
	0.0.0.0* | :: | '[::]'* | '*'* | localhost*) return ;;
	\[*) address=${address#[}; address=${address%%]*} ;;
	*.*:*) address=${address%:*} ;;
	esac
	ip address replace "$address" dev lo nodad 2>/dev/null || ip address replace "$address" dev lo
}
