// SPDX-License-Identifier: LGPL-2.1-or-later
#include "walk/arm_lpae.h"

#include <inttypes.h>

#define LAST_LEVEL 3

/* Arm ARM D8.3, descriptor formats. */
#define DESC_VALID	 BIT(0)
#define DESC_TABLE	 BIT(1) /* on the last level: a page */
#define DESC_AP_UNPRIV	 BIT(6) /* AP[1]: unprivileged access too */
#define DESC_AP_READONLY BIT(7) /* AP[2] */
#define DESC_AF		 BIT(10)
#define DESC_DBM	 BIT(51)
#define TABLE_NO_UNPRIV	 BIT(61) /* APTable[0] */
#define TABLE_READONLY	 BIT(62) /* APTable[1] */
#define DESC_HIGH_64K	 15, 12 /* with 64K granules: bits 51:48 of the address */

static const char *const level_names[] = {"level 0 descriptor", "level 1 descriptor",
					  "level 2 descriptor", "level 3 descriptor"};

static unsigned level_shift(const struct lpae_rules *rules, unsigned level)
{
	return rules->granule + (rules->granule - 3) * (LAST_LEVEL - level);
}

/* The address in a descriptor, its bits below `shift` left out. */
static uint64_t output_address(const struct lpae_rules *rules, uint64_t desc, unsigned shift)
{
	uint64_t address = desc & BITS(47, rules->granule);

	if (rules->granule == 16)
		address |= FIELD(desc, DESC_HIGH_64K) << 48;
	return address & BITS(63, shift);
}

static bool check_output(struct walk *w, const struct lpae_rules *rules, uint64_t address)
{
	if (rules->output_bits >= 64 || !(address >> rules->output_bits))
		return true;
	return walk_stop(w, WALK_STOP_ADDRESS, F_ADDR_SIZE,
			 "the address 0x%" PRIx64 " in it has more than the %u bits of the "
			 "context's IPS",
			 address, rules->output_bits);
}

static bool may_be_block(const struct lpae_rules *rules, unsigned level)
{
	if (rules->granule == 12)
		return level == 1 || level == 2;
	/* Blocks of 4T come with 52-bit addresses. */
	return level == 2 || (rules->granule == 16 && level == 1 && rules->output_bits == 52);
}

static uint64_t read_descriptor(const struct lpae_rules *rules, const struct walk_step *step)
{
	return rules->big_endian ? __builtin_bswap64(step->words[0]) : step->words[0];
}

static void take_table_rights(struct walk *w, const struct lpae_rules *rules, uint64_t desc)
{
	if (rules->no_hierarchy)
		return;
	if (desc & TABLE_NO_UNPRIV)
		walk_deny(w, ACCESS_RW, F_PERMISSION,
			  "its bit 61 (APTable) is set: nothing unprivileged below, and DMA is "
			  "unprivileged");
	if (desc & TABLE_READONLY)
		walk_deny(w, ACCESS_WRITE, F_PERMISSION,
			  "its bit 62 (APTable) is set: read-only below");
}

static bool check_access_flag(struct walk *w, const struct lpae_rules *rules,
			      const struct walk_step *step, uint64_t desc)
{
	if (desc & DESC_AF || rules->access_optional)
		return true;
	if (!rules->sets_access)
		return walk_stop(w, WALK_STOP_ACCESS, F_ACCESS, "its bit 10 (AF) is clear");
	if (!step->writable)
		return walk_stop(w, WALK_STOP_ACCESS, F_PERMISSION,
				 "its bit 10 (AF) is clear, and the parent's mapping doesn't let "
				 "the hardware set it");
	return true;
}

static void take_rights(struct walk *w, const struct lpae_rules *rules,
			const struct walk_step *step, uint64_t desc)
{
	if (!(desc & DESC_AP_UNPRIV))
		walk_deny(w, ACCESS_RW, F_PERMISSION,
			  "its bit 6 (AP[1]) is clear: privileged access alone, and DMA is "
			  "unprivileged");
	if (!(desc & DESC_AP_READONLY))
		return;
	if (!(desc & DESC_DBM) || !rules->sets_dirty)
		walk_deny(w, ACCESS_WRITE, F_PERMISSION, "its bit 7 (AP[2]) is set: read-only");
	else if (!step->writable)
		walk_deny(w, ACCESS_WRITE, F_PERMISSION,
			  "its bit 7 (AP[2]) is set, and the parent's mapping doesn't let the "
			  "hardware clear it");
}

static void finish(struct walk *w, const struct lpae_rules *rules, const struct walk_step *step,
		   uint64_t desc, unsigned level)
{
	const unsigned shift = level_shift(rules, level);
	const uint64_t page = output_address(rules, desc, shift);

	if (!check_output(w, rules, page) || !check_access_flag(w, rules, step, desc))
		return;
	take_rights(w, rules, step, desc);
	walk_finish(w, page | (w->request->iova & BITS(shift - 1, 0)), BIT(shift));
}

/* false: the walk is over, one way or the other. */
static bool walk_level(struct walk *w, const struct lpae_rules *rules, unsigned level,
		       unsigned top_bit, uint64_t *table)
{
	const unsigned shift = level_shift(rules, level);
	const uint64_t index = FIELD(w->request->iova, top_bit, shift);
	const struct walk_step *step = walk_read(w, level_names[level], *table + index * 8, 1);
	uint64_t desc;

	if (!step)
		return false;
	desc = read_descriptor(rules, step);
	if (!(desc & DESC_VALID))
		return walk_stop(w, WALK_STOP_NOT_PRESENT, F_TRANSLATION,
				 "its bit 0 (valid) is clear");
	if (!(desc & DESC_TABLE) && !may_be_block(rules, level))
		return walk_stop(w, WALK_STOP_RESERVED, F_TRANSLATION,
				 "its bits 1:0 say that it is a block, which level %u of a table "
				 "of %uK pages can't have",
				 level, 1U << (rules->granule - 10));
	if (level == LAST_LEVEL || !(desc & DESC_TABLE)) {
		finish(w, rules, step, desc, level);
		return false;
	}
	take_table_rights(w, rules, desc);
	*table = output_address(rules, desc, rules->granule);
	return check_output(w, rules, *table);
}

void walk_arm_lpae(struct walk *w, const struct lpae_rules *rules)
{
	const unsigned stride = rules->granule - 3;
	const unsigned levels = (rules->input_bits - rules->granule + stride - 1) / stride;
	unsigned top_bit = rules->input_bits - 1;
	uint64_t table = rules->root;

	/* The first table has as many entries as it needs, and is aligned to its size. */
	table &= ~BITS(top_bit - level_shift(rules, LAST_LEVEL + 1 - levels) + 3, 0);
	for (unsigned level = LAST_LEVEL + 1 - levels; level <= LAST_LEVEL; level++) {
		if (!walk_level(w, rules, level, top_bit, &table))
			return;
		top_bit = level_shift(rules, level) - 1;
	}
}
