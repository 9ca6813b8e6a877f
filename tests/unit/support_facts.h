/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a driver found out about a device. */
#pragma once

#include "driver/driver.h"

/* The members of its group as iommu_group_text() has them; NULL: none. */
void assert_members(const struct device_facts *facts, bool only_in_the_way, const char *expected);
