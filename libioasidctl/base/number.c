// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char suffixes[] = "KMGT";

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

int number_parse(const char *text, uint64_t *out)
{
	unsigned base = 10;
	uint64_t value = 0;
	const char *p = text, *suffix;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	} else if (p[0] == '0' && p[1] >= '0' && p[1] <= '9') {
		return -EINVAL;
	}
	if (digit_value(*p) >= (int)base)
		return -EINVAL;
	for (; digit_value(*p) < (int)base; p++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_value(*p), &value))
			return -ERANGE;
	suffix = *p ? strchr(suffixes, *p) : NULL;
	if (suffix) {
		unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);

		if (value > UINT64_MAX >> shift)
			return -ERANGE;
		value <<= shift;
		p++;
	}
	if (*p)
		return -EINVAL;
	*out = value;
	return 0;
}

int range_parse(const char *text, uint64_t *first, uint64_t *last)
{
	const char *middle = strpbrk(text, "-+");
	char start[NUMBER_TEXT_MAX];
	int ret;

	if (!middle || (size_t)(middle - text) >= sizeof(start))
		return -EINVAL;
	memcpy(start, text, (size_t)(middle - text));
	start[middle - text] = 0;
	ret = number_parse(start, first);
	if (!ret)
		ret = number_parse(middle + 1, last);
	if (ret)
		return ret;
	if (*middle == '+') {
		if (!*last)
			return -EINVAL;
		if (!range_valid(*first, *last))
			return -ERANGE;
		*last = range_last(*first, *last);
	}
	return *first <= *last ? 0 : -EINVAL;
}

const char *number_hex(uint64_t value, char buf[static NUMBER_TEXT_MAX])
{
	snprintf(buf, NUMBER_TEXT_MAX, "0x%" PRIx64, value);
	return buf;
}

const char *number_size(uint64_t value, char buf[static NUMBER_TEXT_MAX])
{
	size_t unit = 0;

	while (value && !(value & 1023) && unit < strlen(suffixes)) {
		value >>= 10;
		unit++;
	}
	snprintf(buf, NUMBER_TEXT_MAX, "%" PRIu64 "%.*s", value, unit ? 1 : 0,
		 unit ? &suffixes[unit - 1] : "");
	return buf;
}
