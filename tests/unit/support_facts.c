// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"

void assert_members(const struct device_facts *facts, bool only_in_the_way, const char *expected)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(iommu_group_text(&facts->members, only_in_the_way, &text), 0);
	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
}
