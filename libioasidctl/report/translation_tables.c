// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/topology.h"
#include "report/define.h"
#include "report/translation.h"
#include "walk/walk.h"

#define RECORD step_record
static const struct field step_list[] = {
	IS(TEXT, entry, ABOUT("what it is, as the hardware's manual calls it")),
	IS(HEX, address, OPTIONAL, ABOUT("guest address; absent: it came with the config")),
	LIST(HEXES, words, ABOUT("what is in it; none: it can't be read")),
	IS(TEXT, memory, OPTIONAL, ABOUT("name of the memory it lies in")),
	IS(HEX, offset, OPTIONAL, ABOUT("bytes into the memory")),
	{0},
};
static TABLE(step_fields, "step", "an entry that the hardware reads on its way", step_list);
#undef RECORD

#define RECORD stop_record
static const struct field stop_list[] = {
	IS(TEXT, kind, .names = walk_stop_names, ABOUT("one of a closed set")),
	IS(TEXT, reason, ABOUT("what is wrong; of an entry: with it")),
	IS(TEXT, fault, OPTIONAL, ABOUT("what the hardware reports, where that is known")),
	IS(COUNT, step, OPTIONAL, ABOUT("which of `steps`, from 0, is at fault")),
	IS(HEX, unmapped, OPTIONAL, ABOUT("address that the gpa IOASID has no mapping for")),
	IS(OBJECT, excluded, OPTIONAL, OF(range_fields),
	   ABOUT("range around it in which the kernel allows no mapping")),
	IS(OBJECT, below, OPTIONAL, OF(mapping_fields), ABOUT("nearest mapping below it")),
	IS(OBJECT, above, OPTIONAL, OF(mapping_fields), ABOUT("nearest mapping above it")),
	{0},
};
static TABLE(stop_fields, "stop", "where the way ends, and why", stop_list);
#undef RECORD

#define RECORD translation_record
static const struct field translation_list[] = {
	IS(HEX, iova, ABOUT("address in the device's DMA")),
	IS(BOOL, translated, ABOUT("false: see stop")),
	IS(TEXT, fd, OPTIONAL, ABOUT("name of the fd")),
	IS(TEXT, ioasid, OPTIONAL, ABOUT("IOASID that the device, or the PASID, is in")),
	IS(TEXT, format, OPTIONAL, .names = table_format_names,
	   ABOUT("of the guest's table; absent: the IOASID is no nested one")),
	IS(TEXT, gpa, OPTIONAL, ABOUT("IOASID that maps memory: that one, or its parent")),
	LIST(OBJECTS, steps, OF(step_fields), ABOUT("through the guest's table, in order")),
	IS(HEX, guest_address, OPTIONAL, ABOUT("that the guest's table leads to")),
	IS(HEX, page_size, OPTIONAL,
	   ABOUT("bytes of the page there; absent: no page table was in the way")),
	IS(TEXT, table_access, OPTIONAL, .names = access_names, ABOUT("what the table allows")),
	IS(OBJECT, mapping, OPTIONAL, OF(mapping_fields), ABOUT("in the IOASID `gpa`")),
	IS(TEXT, memory, OPTIONAL, ABOUT("name of the memory that it leads to")),
	IS(HEX, offset, OPTIONAL, ABOUT("bytes into the memory")),
	IS(TEXT, access, OPTIONAL, .names = access_names,
	   ABOUT("what table and mapping allow both")),
	IS(HEX, length, OPTIONAL, ABOUT("bytes from there on that translate alike")),
	IS(HEX, physical, OPTIONAL,
	   ABOUT("address in the machine's memory, for a device without an IOMMU, which uses those")),
	IS(HEX, physical_length, OPTIONAL, ABOUT("bytes from there on that are contiguous")),
	IS(OBJECT, stop, OPTIONAL, OF(stop_fields), ABOUT("absent: translated")),
	{0},
};
TABLE(translation_fields, "translation", "where an address leads", translation_list);
#undef RECORD
