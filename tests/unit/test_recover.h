/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ROOTLATCH_TESTS_UNIT_TEST_RECOVER_H
#define ROOTLATCH_TESTS_UNIT_TEST_RECOVER_H

#include "transaction/transaction.h"

/* recovery_run with the lock, as its callers have it; nothing to do without a state folder. */
static inline int recover_store(struct store *s, struct recovery *ret, struct error *err)
{
	int r;

	if (!store_exists(s))
		return 0;
	if (store_lock(s, false, 0, err) < 0)
		return -1;
	r = recovery_run(s, ret, err);
	store_unlock(s);
	return r;
}

#endif
