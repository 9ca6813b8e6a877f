// SPDX-License-Identifier: LGPL-2.1-or-later
/* Gathers the records of one topology, asking the kernel on the way, and has them written. */
#include "report/gather.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static void gather_memory(struct gather *g, const struct topology *t, const struct memory *m,
			  struct memory_record *out)
{
	struct stat st;
	bool told = m->live.fd >= 0 && !fstat(m->live.fd, &st);
	bool sized = told && (S_ISREG(st.st_mode) || m->backing == BACKING_MEMFD);

	(void)g;
	*out = (struct memory_record){
		.name = m->name,
		.backing = backing_names[m->backing],
		.size = m->size,
		.page_size = m->page_size ? m->page_size : (uint64_t)sysconf(_SC_PAGESIZE),
		.prefault = m->prefault,
		.numa_node = m->numa_node == NO_NODE ? FIELD_UNKNOWN : (uint64_t)m->numa_node,
		.path = m->path,
		.device = m->device == NO_INDEX ? NULL : t->devices[m->device].name,
		.bar = m->backing == BACKING_DMABUF ? m->bar : FIELD_UNKNOWN,
		.alive = told && (!sized || (uint64_t)st.st_size >= m->size),
		.populated = sized ? (uint64_t)st.st_blocks * 512 : FIELD_UNKNOWN,
	};
}

static void gather_fd(struct gather *g, const struct topology *t, const struct iommu_fd *fd,
		      struct fd_record *out)
{
	struct ioasid_record *ioasids = gather_array(g, fd->n_ioasids, sizeof(*ioasids));
	struct viommu_record *viommus = gather_array(g, fd->n_viommus, sizeof(*viommus));

	*out = (struct fd_record){
		.name = fd->name,
		.driver = fd->ops ? fd->ops->name : driver_choice_names[fd->driver],
		.node = fd->node  ? fd->node
			: fd->ops ? fd->ops->node
				  : NULL,
		.accounting = accounting_names[fd->accounting],
		.vfio_compat =
			fd->vfio_compat == NO_INDEX ? NULL : fd->ioasids[fd->vfio_compat].name,
		.open = fd->live.handle != NULL,
		.ioasids = ioasids,
		.n_ioasids = fd->n_ioasids,
		.viommus = viommus,
		.n_viommus = fd->n_viommus,
	};
	for (size_t i = 0; ioasids && i < fd->n_ioasids; i++)
		gather_ioasid(g, t, fd, &fd->ioasids[i], &ioasids[i]);
	for (size_t i = 0; viommus && i < fd->n_viommus; i++)
		gather_viommu(g, t, fd, &fd->viommus[i], &viommus[i]);
}

static void gather_topology(struct gather *g, const struct topology *t, struct topology_record *out)
{
	struct memory_record *memories = gather_array(g, t->n_memories, sizeof(*memories));
	struct fd_record *fds = gather_array(g, t->n_fds, sizeof(*fds));

	*out = (struct topology_record){
		.name = t->name,
		.owner = t->owner_user,
		.file = t->file,
		.memories = memories,
		.n_memories = t->n_memories,
		.devices = gather_devices(g, t),
		.n_devices = t->n_devices,
		.fds = fds,
		.n_fds = t->n_fds,
	};
	for (size_t i = 0; memories && i < t->n_memories; i++)
		gather_memory(g, t, &t->memories[i], &memories[i]);
	for (size_t i = 0; fds && i < t->n_fds; i++)
		gather_fd(g, t, &t->fds[i], &fds[i]);
}

json_t *report_topology(const struct driver_env *env, const struct topology *t)
{
	return report_taken_topology(env, t, NULL, 0);
}

json_t *report_taken_topology(const struct driver_env *env, const struct topology *t,
			      const struct taker_record *taken, size_t n_taken)
{
	struct gather g = {.env = env};
	struct topology_record record;
	json_t *json;

	gather_topology(&g, t, &record);
	record.taken = taken;
	record.n_taken = n_taken;
	json = g.failed ? NULL : fields_encode(&topology_fields, &record);
	gather_done(&g);
	return json;
}
