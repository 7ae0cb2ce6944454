#!/bin/bash
# Real configurations: each that sshd accepts opens and closes back to the same bytes, mode, owner
# and mtime, and sshd's other answers stay as they were; each that it rejects is refused,
# untouched. ROOTLATCH_CORPUS names the folder: NAME.conf, and verdicts.tsv with
# `NAME.conf accept|reject` in each line.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
[ -f "$ROOTLATCH_CORPUS/verdicts.tsv" ] ||
	skip_all "no corpus of configurations at \$ROOTLATCH_CORPUS ($ROOTLATCH_CORPUS)"
sandbox_enter

main=/etc/ssh/sshd_config

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

# The verdict is sshd 9.2's; the one that runs here is asked again.
n=0
while read -r name verdict; do
	[ "$name" != file ] || continue
	t "$name: $verdict"
	etc_ssh_reset
	provide "$ROOTLATCH_CORPUS/$name"
	write $main <"$ROOTLATCH_CORPUS/$name"
	if answers=$(judge root); then
		expect accept "$verdict" "sshd"
		case $(permitted "$answers") in
		yes) is_open_already ;;
		*) opens_and_closes ;;
		esac
	else
		expect reject "$verdict" "sshd ($answers)"
		is_refused
	fi

	n=$((n + 1))
	if [ "$verdict" = accept ] && [ $((n % 8)) = 1 ]; then
		t "$name: with a NUL byte at its end"
		printf '#\0\n' >>$main
		because=NUL is_refused
	fi
done <"$ROOTLATCH_CORPUS/verdicts.tsv"

done_testing
