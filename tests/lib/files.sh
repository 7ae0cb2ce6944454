# shellcheck shell=bash
# What a file is, to the last attribute, as text to compare.

# fingerprint FILE...: type, mode, owner, size, mtime to the nanosecond, ACL, xattrs and bytes
fingerprint()
{
	local file

	for file; do
		if [ ! -e "$file" ] && [ ! -L "$file" ]; then
			echo "$file is missing"
			continue
		fi
		stat --printf '%n: %F, mode %a, owner %u:%g, links %h, size %s, mtime %.9Y\n' "$file"
		# -m - has the ACL too, as system.posix_acl_access
		getfattr -h -d -m - -e hex --absolute-names "$file" 2>/dev/null | grep = | sort
		[ ! -L "$file" ] || readlink "$file"
		[ ! -f "$file" ] || sha256sum <"$file"
	done
}

# listing FOLDER...: all that is below, with times, links and bytes; for "nothing was written"
listing()
{
	find "$@" -printf '%p: %y, mode %m, owner %U:%G, links %n, size %s, mtime %T@, inode %i %l\n' \
		2>/dev/null | sort
	find "$@" -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum
}

# leftovers: what of ours lies in /etc/ssh, and what of a transaction lies elsewhere. What stays
# until the next boot says which boot this is.
leftovers()
{
	# The build folder may lie there, too, with a tarball in it.
	find /etc /run /root /home /tmp -path "$top_builddir" -prune -o \( -name '*.rootlatch*' -o -name '*rootlatch-*' \
		-o -path '/run/rootlatch/*' -type f ! -name lock ! -path /run/rootlatch/boot \) -print 2>/dev/null
	grep -rlE '#rootlatch:' /etc --exclude-dir=alternatives
	find /var/lib/rootlatch -name journal -size +0 2>/dev/null
}

# write FILE [MODE]: stdin becomes the file, with an mtime that is neither now nor round
write()
{
	mkdir -p "$(dirname "$1")"
	cat >"$1"
	chmod "${2:-644}" "$1"
	touch -d '2009-05-14 03:12:45.123456789 UTC' "$1"
}
