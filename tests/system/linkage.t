#!/bin/bash
# Each of these libraries costs more to start than all that rootlatch does.
libraries=$(ldd "$ROOTLATCH") || exit 99

echo 1..4
n=0
for unwanted in libssh libcrypto libselinux libxml2; do
	n=$((n + 1))
	case $unwanted in
	libselinux | libxml2)
		if grep -q libaugeas <<<"$libraries"; then
			echo "ok $n - $unwanted is not loaded # SKIP libaugeas is a shared library here"
			continue
		fi
		;;
	esac
	if grep -q "$unwanted" <<<"$libraries"; then
		echo "not ok $n - $unwanted is not loaded"
		sed 's/^/# /' <<<"$libraries"
	else
		echo "ok $n - $unwanted is not loaded"
	fi
done
