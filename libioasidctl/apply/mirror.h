/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices with an IOTLB of their own (vDPA), which get copies of what is in their IOASIDs. */
#pragma once

#include "apply/step.h"

/*
 * A mapping of the IOASID (of s->t and s->fd) came, or goes, on the IOMMU: so it does in every
 * device that is in it. After a failure none has changed.
 */
int mirror_map(const struct step *s, const struct ioasid *ioasid, const struct mapping *m);
int mirror_unmap(const struct step *s, const struct ioasid *ioasid, const struct mapping *m);

/* An IOASID of the live or of the desired topology. */
struct mirrored {
	struct topology *t;
	uint32_t fd, ioasid;
};

/*
 * Puts the device, or a virtqueue group of it, into an IOASID with all that is mapped in it at this
 * moment of the plan. `from`: that it is in now; NULL: in none.
 */
int mirror_attach(const struct step *s, const struct device *d, const struct attachment *a,
		  const struct mirrored *to, const struct mirrored *from);
