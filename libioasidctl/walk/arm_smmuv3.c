// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What leads to a page table in an SMMUv3: the stream table entry comes with the config, it points
 * to the context descriptor, or to a table of them by substream, which is the PASID. SMMUv3
 * specification (IHI 0070) 5.2 (STE), 5.4 (CD), 5.4.1 (L1CD), 7.3 (events). Of the STE Linux takes
 * words 0 and 1 and puts the parent beneath as stage 2.
 */
#include <inttypes.h>

#include "walk/arm_lpae.h"

#define C_BAD_STE	  "C_BAD_STE (0x04)"
#define F_STREAM_DISABLED "F_STREAM_DISABLED (0x06)"
#define C_BAD_SUBSTREAMID "C_BAD_SUBSTREAMID (0x08)"
#define C_BAD_CD	  "C_BAD_CD (0x0a)"

#define STE_WORDS 2
/* Word 0 of the STE. */
#define STE_V	     BIT(0)
#define STE_CONFIG   3, 1
#define STE_S1FMT    5, 4
#define STE_S1CTXPTR BITS(51, 6)
#define STE_S1CDMAX  63, 59 /* log2 of the number of substreams; 0: none */
/* Word 1. */
#define STE_S1DSS    1, 0 /* what becomes of DMA without substream, where there are some */
#define STE_S1STALLD BIT(27)

enum ste_config { CONFIG_ABORT = 0, CONFIG_BYPASS = 4, CONFIG_STAGE1 = 5 };
enum s1fmt { S1FMT_LINEAR = 0, S1FMT_4K_L2 = 1, S1FMT_64K_L2 = 2 };
enum s1dss { S1DSS_TERMINATE = 0, S1DSS_BYPASS = 1, S1DSS_SSID0 = 2 };

#define SUBSTREAM_BITS_MAX 20

#define L1CD_V	   BIT(0)
#define L1CD_L2PTR BITS(51, 12)

#define CD_WORDS 8
#define CD_BYTES (CD_WORDS * 8)
/* Word 0 of the CD; of what is there twice, TTB0's. TTB1's size, granule and EPD are 16 higher. */
#define CD_TSZ	      5, 0
#define CD_TG	      7, 6
#define CD_EPD	      BIT(14)
#define CD_ENDI	      BIT(15)
#define CD_V	      BIT(31)
#define CD_IPS	      34, 32
#define CD_AFFD	      BIT(35)
#define CD_TBI0	      BIT(38) /* TBI1 is next to it */
#define CD_AA64	      BIT(41)
#define CD_HD	      BIT(42)
#define CD_HA	      BIT(43)
#define CD_S	      BIT(44)
#define CD_R	      BIT(45)
#define CD_TTB1_SHIFT 16
/* Words 1 and 2: TTB0 and TTB1. */
#define CD_HAD BIT(1)
#define CD_TTB BITS(51, 4)

/* Which table an address belongs to. */
#define UPPER_HALF BIT(55)

/* The context descriptor of a substream. */
static bool find_cd(struct walk *w, uint64_t ste, uint32_t substream, uint64_t *address)
{
	const uint64_t table = ste & STE_S1CTXPTR, format = FIELD(ste, STE_S1FMT);
	const unsigned split = format == S1FMT_4K_L2 ? 6 : 10;
	const struct walk_step *l1;

	/* The reserved format is as the linear one. */
	if (!FIELD(ste, STE_S1CDMAX) || (format != S1FMT_4K_L2 && format != S1FMT_64K_L2)) {
		*address = table + (uint64_t)substream * CD_BYTES;
		return true;
	}
	l1 = walk_read(w, "level 1 CD", table + (uint64_t)(substream >> split) * 8, 1);
	if (!l1)
		return false;
	if (!(l1->words[0] & L1CD_V))
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_SUBSTREAMID,
				 "its bit 0 (V) is clear: there is no context for substream "
				 "%" PRIu32,
				 substream);
	*address = (l1->words[0] & L1CD_L2PTR) + (substream & BITS(split - 1, 0)) * CD_BYTES;
	return true;
}

/* The substream of DMA without PASID. */
static bool default_substream(struct walk *w, uint64_t ste1, uint32_t *substream)
{
	*substream = 0;
	switch (FIELD(ste1, STE_S1DSS)) {
	case S1DSS_SSID0:
		return true;
	case S1DSS_BYPASS:
		walk_bypass(w);
		return false;
	default:
		return walk_stop(w, WALK_STOP_CONTEXT, F_STREAM_DISABLED,
				 "its S1DSS ends DMA without PASID");
	}
}

/* false: there is none, and the walk is over. */
static bool choose_substream(struct walk *w, const uint64_t *ste, uint32_t *substream)
{
	const uint32_t pasid = w->request->pasid;
	const unsigned bits = (unsigned)FIELD(ste[0], STE_S1CDMAX);

	if (bits > SUBSTREAM_BITS_MAX)
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_STE,
				 "its S1CDMax is %u, and substreams have at most 20 bits", bits);
	*substream = pasid;
	if (pasid == NO_PASID) {
		*substream = 0;
		return bits ? default_substream(w, ste[1], substream) : true;
	}
	if (!bits)
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_SUBSTREAMID,
				 "its S1CDMax is 0: it has no contexts for PASIDs");
	if (pasid >> bits)
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_SUBSTREAMID,
				 "PASID %" PRIu32 " is past the %u of its S1CDMax", pasid,
				 1U << bits);
	if (!pasid && FIELD(ste[1], STE_S1DSS) == S1DSS_SSID0)
		return walk_stop(w, WALK_STOP_CONTEXT, F_STREAM_DISABLED,
				 "its S1DSS leaves PASID 0 to DMA without PASID");
	return true;
}

/* log2 of the granule; 0: reserved. The two tables have encodings of their own. */
static unsigned granule_of(uint64_t half, bool upper)
{
	static const uint8_t granules[2][4] = {{12, 16, 14, 0}, {0, 14, 12, 16}};

	return granules[upper][FIELD(half, CD_TG)];
}

static unsigned output_bits(uint64_t cd, unsigned granule)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, 52, 52};
	const unsigned bits = sizes[FIELD(cd, CD_IPS)];

	/* Descriptors of the smaller granules have no place for more. */
	return bits > 48 && granule != 16 ? 48 : bits;
}

static bool check_input(struct walk *w, uint64_t cd, unsigned input_bits, bool upper)
{
	const unsigned top = cd & (upper ? CD_TBI0 << 1 : CD_TBI0) ? 55 : 63;
	const uint64_t above = FIELD(w->request->iova, top, input_bits);

	if (above == (upper ? BITS(top - input_bits, 0) : 0))
		return true;
	return walk_stop(w, WALK_STOP_ADDRESS, F_TRANSLATION,
			 "its T%dSZ leaves %u bits to translate, and the address has more", upper,
			 input_bits);
}

/* Of faults in the table the context says what becomes of them (5.5); of its own it doesn't. */
static const char *aftermath(const uint64_t *ste, uint64_t cd)
{
	if (cd & CD_S && !(ste[1] & STE_S1STALLD))
		return ", and the DMA waits for an answer (S in the CD)";
	return cd & CD_R ? NULL : ", but it isn't recorded (R in the CD)";
}

static bool check_cd(struct walk *w, const uint64_t *ste, uint64_t cd)
{
	const bool upper = w->request->iova & UPPER_HALF;

	if (!(cd & CD_V))
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_CD, "its bit 31 (V) is clear");
	if (!(cd & CD_AA64))
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_CD,
				 "its bit 41 (AA64) is clear: a table of 32-bit processors, which "
				 "isn't walked here");
	if (!(cd & (upper ? CD_EPD << CD_TTB1_SHIFT : CD_EPD)))
		return true;
	w->aftermath = aftermath(ste, cd);
	return walk_stop(w, WALK_STOP_ADDRESS, F_TRANSLATION,
			 "its EPD%d is set: nothing in that half of the addresses is translated",
			 upper);
}

/* What the CD says of the table that the address belongs to. */
static bool read_cd(struct walk *w, const uint64_t *cd, struct lpae_rules *rules)
{
	const bool upper = w->request->iova & UPPER_HALF;
	const uint64_t half = cd[0] >> (upper ? CD_TTB1_SHIFT : 0), ttb = cd[upper ? 2 : 1];
	const unsigned size = (unsigned)FIELD(half, CD_TSZ);

	rules->granule = granule_of(half, upper);
	if (!rules->granule)
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_CD, "its TG%d is a reserved value",
				 upper);
	/* Below 16 with 52-bit addresses, which only 64K has; above 39 with small tables (STT). */
	if (size < (rules->granule == 16 ? 12 : 16) || size > (rules->granule == 16 ? 47 : 48))
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_CD,
				 "its T%dSZ is %u, which no table of %uK pages can have", upper,
				 size, 1U << (rules->granule - 10));
	rules->input_bits = 64 - size;
	rules->output_bits = output_bits(cd[0], rules->granule);
	rules->root = ttb & CD_TTB;
	if (rules->root >> rules->output_bits)
		return walk_stop(w, WALK_STOP_CONTEXT, C_BAD_CD,
				 "its TTB%d has more than the %u bits of its IPS", upper,
				 rules->output_bits);
	rules->no_hierarchy = ttb & CD_HAD;
	rules->big_endian = cd[0] & CD_ENDI;
	rules->access_optional = cd[0] & CD_AFFD;
	rules->sets_access = cd[0] & CD_HA;
	rules->sets_dirty = cd[0] & CD_HA && cd[0] & CD_HD;
	return true;
}

static void walk_stage1(struct walk *w, const uint64_t *ste)
{
	struct lpae_rules rules = {0};
	const struct walk_step *cd;
	uint32_t substream = 0;
	uint64_t address = 0;

	if (!choose_substream(w, ste, &substream) || !find_cd(w, ste[0], substream, &address))
		return;
	cd = walk_read(w, "CD", address, CD_WORDS);
	if (!cd || !check_cd(w, ste, cd->words[0]) || !read_cd(w, cd->words, &rules))
		return;
	w->aftermath = aftermath(ste, cd->words[0]);
	if (check_input(w, cd->words[0], rules.input_bits, w->request->iova & UPPER_HALF))
		walk_arm_lpae(w, &rules);
}

void walk_arm_smmuv3(struct walk *w, const struct table *table)
{
	const uint64_t *ste = table->words;
	const unsigned config = (unsigned)FIELD(ste[0], STE_CONFIG);

	walk_given(w, "STE", ste, STE_WORDS);
	if (!(ste[0] & STE_V)) {
		walk_stop(w, WALK_STOP_CONTEXT, C_BAD_STE, "its bit 0 (V) is clear");
		return;
	}
	switch (config) {
	case CONFIG_STAGE1:
		walk_stage1(w, ste);
		return;
	case CONFIG_BYPASS:
		if (w->request->pasid == NO_PASID)
			walk_bypass(w);
		else
			walk_stop(w, WALK_STOP_CONTEXT, C_BAD_SUBSTREAMID,
				  "its Config bypasses stage 1, and only that knows PASIDs");
		return;
	case CONFIG_ABORT:
		walk_stop(w, WALK_STOP_CONTEXT, NULL, "its Config is 0: all DMA is aborted");
		return;
	default:
		walk_stop(w, WALK_STOP_CONTEXT, C_BAD_STE,
			  "its Config is %u, and Linux takes 0 (abort), 4 (bypass) and 5 (stage 1)",
			  config);
	}
}
