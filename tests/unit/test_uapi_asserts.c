// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our ABI headers against the kernel's. Nearly all of it happens at compile time: a wrong size,
 * offset or number doesn't compile. What the kernel headers at hand are too old for is left out,
 * unless ASSERT_ALL is defined: then each missing definition is an error. UAPI_HEADERS=DIR of the
 * Makefile (`make uapi-check`) takes newer headers than the system's and sets it.
 */
#include "uapi/iommufd.h"
#include "uapi/iommufd_test.h"
#include "uapi/vdpa.h"
#include "uapi/vfio.h"
#include "uapi/vhost.h"

#if __has_include(<linux/iommufd.h>) || defined(ASSERT_ALL)
#include <linux/iommufd.h>
#endif
#include <linux/vdpa.h>
#include <linux/vfio.h>
#include <linux/vhost.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define SAME_SIZE(ours, theirs) \
	_Static_assert(sizeof(struct ours) == sizeof(struct theirs), "size of " #ours)
#define SAME_FIELD(ours, field, theirs, their_field)                                           \
	_Static_assert(offsetof(struct ours, field) == offsetof(struct theirs, their_field) && \
			       sizeof(((struct ours *)0)->field) ==                            \
				       sizeof(((struct theirs *)0)->their_field),              \
		       #ours "." #field)
#define SAME(ours, theirs) _Static_assert((unsigned long)(ours) == (unsigned long)(theirs), #ours)

/* Linux 6.2: the first one. */
#if defined(IOMMU_IOAS_ALLOC) || defined(ASSERT_ALL)
SAME(IOMMUFD_IOCTL_TYPE, IOMMUFD_TYPE);
SAME(IOMMUFD_DESTROY, IOMMU_DESTROY);
SAME(IOMMUFD_IOAS_ALLOC, IOMMU_IOAS_ALLOC);
SAME(IOMMUFD_IOAS_ALLOW_IOVAS, IOMMU_IOAS_ALLOW_IOVAS);
SAME(IOMMUFD_IOAS_COPY, IOMMU_IOAS_COPY);
SAME(IOMMUFD_IOAS_IOVA_RANGES, IOMMU_IOAS_IOVA_RANGES);
SAME(IOMMUFD_IOAS_MAP, IOMMU_IOAS_MAP);
SAME(IOMMUFD_IOAS_UNMAP, IOMMU_IOAS_UNMAP);
SAME(IOMMUFD_OPTION, IOMMU_OPTION);
SAME(IOMMUFD_VFIO_IOAS, IOMMU_VFIO_IOAS);
SAME_SIZE(iommufd_destroy, iommu_destroy);
SAME_FIELD(iommufd_destroy, size, iommu_destroy, size);
SAME_FIELD(iommufd_destroy, id, iommu_destroy, id);
SAME_SIZE(iommufd_ioas_alloc, iommu_ioas_alloc);
SAME_FIELD(iommufd_ioas_alloc, size, iommu_ioas_alloc, size);
SAME_FIELD(iommufd_ioas_alloc, flags, iommu_ioas_alloc, flags);
SAME_FIELD(iommufd_ioas_alloc, out_ioas_id, iommu_ioas_alloc, out_ioas_id);
SAME_SIZE(iommufd_iova_range, iommu_iova_range);
SAME_FIELD(iommufd_iova_range, start, iommu_iova_range, start);
SAME_FIELD(iommufd_iova_range, last, iommu_iova_range, last);
SAME_SIZE(iommufd_ioas_iova_ranges, iommu_ioas_iova_ranges);
SAME_FIELD(iommufd_ioas_iova_ranges, size, iommu_ioas_iova_ranges, size);
SAME_FIELD(iommufd_ioas_iova_ranges, ioas_id, iommu_ioas_iova_ranges, ioas_id);
SAME_FIELD(iommufd_ioas_iova_ranges, num_iovas, iommu_ioas_iova_ranges, num_iovas);
SAME_FIELD(iommufd_ioas_iova_ranges, reserved, iommu_ioas_iova_ranges, __reserved);
SAME_FIELD(iommufd_ioas_iova_ranges, allowed_iovas, iommu_ioas_iova_ranges, allowed_iovas);
SAME_FIELD(iommufd_ioas_iova_ranges, out_iova_alignment, iommu_ioas_iova_ranges,
	   out_iova_alignment);
SAME_SIZE(iommufd_ioas_allow_iovas, iommu_ioas_allow_iovas);
SAME_FIELD(iommufd_ioas_allow_iovas, size, iommu_ioas_allow_iovas, size);
SAME_FIELD(iommufd_ioas_allow_iovas, ioas_id, iommu_ioas_allow_iovas, ioas_id);
SAME_FIELD(iommufd_ioas_allow_iovas, num_iovas, iommu_ioas_allow_iovas, num_iovas);
SAME_FIELD(iommufd_ioas_allow_iovas, reserved, iommu_ioas_allow_iovas, __reserved);
SAME_FIELD(iommufd_ioas_allow_iovas, allowed_iovas, iommu_ioas_allow_iovas, allowed_iovas);
SAME(IOMMUFD_MAP_FIXED_IOVA, IOMMU_IOAS_MAP_FIXED_IOVA);
SAME(IOMMUFD_MAP_WRITEABLE, IOMMU_IOAS_MAP_WRITEABLE);
SAME(IOMMUFD_MAP_READABLE, IOMMU_IOAS_MAP_READABLE);
SAME_SIZE(iommufd_ioas_map, iommu_ioas_map);
SAME_FIELD(iommufd_ioas_map, size, iommu_ioas_map, size);
SAME_FIELD(iommufd_ioas_map, flags, iommu_ioas_map, flags);
SAME_FIELD(iommufd_ioas_map, ioas_id, iommu_ioas_map, ioas_id);
SAME_FIELD(iommufd_ioas_map, reserved, iommu_ioas_map, __reserved);
SAME_FIELD(iommufd_ioas_map, user_va, iommu_ioas_map, user_va);
SAME_FIELD(iommufd_ioas_map, length, iommu_ioas_map, length);
SAME_FIELD(iommufd_ioas_map, iova, iommu_ioas_map, iova);
SAME_SIZE(iommufd_ioas_copy, iommu_ioas_copy);
SAME_FIELD(iommufd_ioas_copy, size, iommu_ioas_copy, size);
SAME_FIELD(iommufd_ioas_copy, flags, iommu_ioas_copy, flags);
SAME_FIELD(iommufd_ioas_copy, dst_ioas_id, iommu_ioas_copy, dst_ioas_id);
SAME_FIELD(iommufd_ioas_copy, src_ioas_id, iommu_ioas_copy, src_ioas_id);
SAME_FIELD(iommufd_ioas_copy, length, iommu_ioas_copy, length);
SAME_FIELD(iommufd_ioas_copy, dst_iova, iommu_ioas_copy, dst_iova);
SAME_FIELD(iommufd_ioas_copy, src_iova, iommu_ioas_copy, src_iova);
SAME_SIZE(iommufd_ioas_unmap, iommu_ioas_unmap);
SAME_FIELD(iommufd_ioas_unmap, size, iommu_ioas_unmap, size);
SAME_FIELD(iommufd_ioas_unmap, ioas_id, iommu_ioas_unmap, ioas_id);
SAME_FIELD(iommufd_ioas_unmap, iova, iommu_ioas_unmap, iova);
SAME_FIELD(iommufd_ioas_unmap, length, iommu_ioas_unmap, length);
SAME(IOMMUFD_OPTION_RLIMIT_MODE, IOMMU_OPTION_RLIMIT_MODE);
SAME(IOMMUFD_OPTION_HUGE_PAGES, IOMMU_OPTION_HUGE_PAGES);
SAME(IOMMUFD_OPTION_SET, IOMMU_OPTION_OP_SET);
SAME(IOMMUFD_OPTION_GET, IOMMU_OPTION_OP_GET);
SAME_SIZE(iommufd_set_option, iommu_option);
SAME_FIELD(iommufd_set_option, size, iommu_option, size);
SAME_FIELD(iommufd_set_option, option_id, iommu_option, option_id);
SAME_FIELD(iommufd_set_option, op, iommu_option, op);
SAME_FIELD(iommufd_set_option, reserved, iommu_option, __reserved);
SAME_FIELD(iommufd_set_option, object_id, iommu_option, object_id);
SAME_FIELD(iommufd_set_option, val64, iommu_option, val64);
SAME(IOMMUFD_VFIO_IOAS_GET, IOMMU_VFIO_IOAS_GET);
SAME(IOMMUFD_VFIO_IOAS_SET, IOMMU_VFIO_IOAS_SET);
SAME(IOMMUFD_VFIO_IOAS_CLEAR, IOMMU_VFIO_IOAS_CLEAR);
SAME_SIZE(iommufd_vfio_ioas, iommu_vfio_ioas);
SAME_FIELD(iommufd_vfio_ioas, size, iommu_vfio_ioas, size);
SAME_FIELD(iommufd_vfio_ioas, ioas_id, iommu_vfio_ioas, ioas_id);
SAME_FIELD(iommufd_vfio_ioas, op, iommu_vfio_ioas, op);
SAME_FIELD(iommufd_vfio_ioas, reserved, iommu_vfio_ioas, __reserved);
#endif

/* Hardware page tables, dirty tracking and hardware info came from 6.6 on and grew later. */
#if defined(IOMMU_HWPT_INVALIDATE) || defined(ASSERT_ALL)
SAME(IOMMUFD_HWPT_ALLOC, IOMMU_HWPT_ALLOC);
SAME(IOMMUFD_GET_HW_INFO, IOMMU_GET_HW_INFO);
SAME(IOMMUFD_HWPT_SET_DIRTY_TRACKING, IOMMU_HWPT_SET_DIRTY_TRACKING);
SAME(IOMMUFD_HWPT_GET_DIRTY_BITMAP, IOMMU_HWPT_GET_DIRTY_BITMAP);
SAME(IOMMUFD_HWPT_INVALIDATE, IOMMU_HWPT_INVALIDATE);
SAME(IOMMUFD_HWPT_NEST_PARENT, IOMMU_HWPT_ALLOC_NEST_PARENT);
SAME(IOMMUFD_HWPT_DIRTY_TRACKING, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
SAME(IOMMUFD_HWPT_TYPE_NONE, IOMMU_HWPT_DATA_NONE);
SAME(IOMMUFD_HWPT_TYPE_VTD_S1, IOMMU_HWPT_DATA_VTD_S1);
SAME(IOMMUFD_VTD_S1_SRE, IOMMU_VTD_S1_SRE);
SAME(IOMMUFD_VTD_S1_EAFE, IOMMU_VTD_S1_EAFE);
SAME(IOMMUFD_VTD_S1_WPE, IOMMU_VTD_S1_WPE);
SAME_SIZE(iommufd_hwpt_vtd_s1, iommu_hwpt_vtd_s1);
SAME_FIELD(iommufd_hwpt_vtd_s1, flags, iommu_hwpt_vtd_s1, flags);
SAME_FIELD(iommufd_hwpt_vtd_s1, pgtbl_addr, iommu_hwpt_vtd_s1, pgtbl_addr);
SAME_FIELD(iommufd_hwpt_vtd_s1, addr_width, iommu_hwpt_vtd_s1, addr_width);
SAME_FIELD(iommufd_hwpt_vtd_s1, reserved, iommu_hwpt_vtd_s1, __reserved);
SAME(IOMMUFD_DIRTY_TRACKING_ENABLE, IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
SAME_SIZE(iommufd_hwpt_set_dirty_tracking, iommu_hwpt_set_dirty_tracking);
SAME_FIELD(iommufd_hwpt_set_dirty_tracking, size, iommu_hwpt_set_dirty_tracking, size);
SAME_FIELD(iommufd_hwpt_set_dirty_tracking, flags, iommu_hwpt_set_dirty_tracking, flags);
SAME_FIELD(iommufd_hwpt_set_dirty_tracking, hwpt_id, iommu_hwpt_set_dirty_tracking, hwpt_id);
SAME_FIELD(iommufd_hwpt_set_dirty_tracking, reserved, iommu_hwpt_set_dirty_tracking, __reserved);
SAME(IOMMUFD_DIRTY_BITMAP_NO_CLEAR, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
SAME_SIZE(iommufd_hwpt_get_dirty_bitmap, iommu_hwpt_get_dirty_bitmap);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, size, iommu_hwpt_get_dirty_bitmap, size);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, hwpt_id, iommu_hwpt_get_dirty_bitmap, hwpt_id);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, flags, iommu_hwpt_get_dirty_bitmap, flags);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, reserved, iommu_hwpt_get_dirty_bitmap, __reserved);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, iova, iommu_hwpt_get_dirty_bitmap, iova);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, length, iommu_hwpt_get_dirty_bitmap, length);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, page_size, iommu_hwpt_get_dirty_bitmap, page_size);
SAME_FIELD(iommufd_hwpt_get_dirty_bitmap, data, iommu_hwpt_get_dirty_bitmap, data);
SAME(IOMMUFD_INVALIDATE_VTD_S1, IOMMU_HWPT_INVALIDATE_DATA_VTD_S1);
SAME_SIZE(iommufd_hwpt_invalidate, iommu_hwpt_invalidate);
SAME_FIELD(iommufd_hwpt_invalidate, size, iommu_hwpt_invalidate, size);
SAME_FIELD(iommufd_hwpt_invalidate, hwpt_id, iommu_hwpt_invalidate, hwpt_id);
SAME_FIELD(iommufd_hwpt_invalidate, data_uptr, iommu_hwpt_invalidate, data_uptr);
SAME_FIELD(iommufd_hwpt_invalidate, data_type, iommu_hwpt_invalidate, data_type);
SAME_FIELD(iommufd_hwpt_invalidate, entry_len, iommu_hwpt_invalidate, entry_len);
SAME_FIELD(iommufd_hwpt_invalidate, entry_num, iommu_hwpt_invalidate, entry_num);
SAME_FIELD(iommufd_hwpt_invalidate, reserved, iommu_hwpt_invalidate, __reserved);
SAME(IOMMUFD_VTD_S1_INVALIDATE_LEAF, IOMMU_VTD_INV_FLAGS_LEAF);
SAME_SIZE(iommufd_hwpt_vtd_s1_invalidate, iommu_hwpt_vtd_s1_invalidate);
SAME_FIELD(iommufd_hwpt_vtd_s1_invalidate, addr, iommu_hwpt_vtd_s1_invalidate, addr);
SAME_FIELD(iommufd_hwpt_vtd_s1_invalidate, npages, iommu_hwpt_vtd_s1_invalidate, npages);
SAME_FIELD(iommufd_hwpt_vtd_s1_invalidate, flags, iommu_hwpt_vtd_s1_invalidate, flags);
SAME_FIELD(iommufd_hwpt_vtd_s1_invalidate, reserved, iommu_hwpt_vtd_s1_invalidate, __reserved);
SAME(IOMMUFD_HW_INFO_NONE, IOMMU_HW_INFO_TYPE_NONE);
SAME(IOMMUFD_HW_INFO_INTEL_VTD, IOMMU_HW_INFO_TYPE_INTEL_VTD);
SAME(IOMMUFD_HW_CAP_DIRTY_TRACKING, IOMMU_HW_CAP_DIRTY_TRACKING);
SAME(IOMMUFD_HW_INFO_VTD_ERRATA_772415, IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17);
SAME_SIZE(iommufd_hw_info_vtd, iommu_hw_info_vtd);
SAME_FIELD(iommufd_hw_info_vtd, flags, iommu_hw_info_vtd, flags);
SAME_FIELD(iommufd_hw_info_vtd, reserved, iommu_hw_info_vtd, __reserved);
SAME_FIELD(iommufd_hw_info_vtd, cap_reg, iommu_hw_info_vtd, cap_reg);
SAME_FIELD(iommufd_hw_info_vtd, ecap_reg, iommu_hw_info_vtd, ecap_reg);
SAME_SIZE(iommufd_hw_info, iommu_hw_info);
SAME_FIELD(iommufd_hw_info, size, iommu_hw_info, size);
SAME_FIELD(iommufd_hw_info, flags, iommu_hw_info, flags);
SAME_FIELD(iommufd_hw_info, dev_id, iommu_hw_info, dev_id);
SAME_FIELD(iommufd_hw_info, data_len, iommu_hw_info, data_len);
SAME_FIELD(iommufd_hw_info, data_uptr, iommu_hw_info, data_uptr);
SAME_FIELD(iommufd_hw_info, data_type, iommu_hw_info, out_data_type);
SAME_FIELD(iommufd_hw_info, out_capabilities, iommu_hw_info, out_capabilities);
#endif

/* 6.11: page faults. */
#if defined(IOMMU_FAULT_QUEUE_ALLOC) || defined(ASSERT_ALL)
SAME(IOMMUFD_FAULT_QUEUE_ALLOC, IOMMU_FAULT_QUEUE_ALLOC);
SAME(IOMMUFD_HWPT_HAS_FAULT_ID, IOMMU_HWPT_FAULT_ID_VALID);
SAME_SIZE(iommufd_hwpt_alloc, iommu_hwpt_alloc);
SAME_FIELD(iommufd_hwpt_alloc, size, iommu_hwpt_alloc, size);
SAME_FIELD(iommufd_hwpt_alloc, flags, iommu_hwpt_alloc, flags);
SAME_FIELD(iommufd_hwpt_alloc, dev_id, iommu_hwpt_alloc, dev_id);
SAME_FIELD(iommufd_hwpt_alloc, pt_id, iommu_hwpt_alloc, pt_id);
SAME_FIELD(iommufd_hwpt_alloc, out_hwpt_id, iommu_hwpt_alloc, out_hwpt_id);
SAME_FIELD(iommufd_hwpt_alloc, reserved, iommu_hwpt_alloc, __reserved);
SAME_FIELD(iommufd_hwpt_alloc, data_type, iommu_hwpt_alloc, data_type);
SAME_FIELD(iommufd_hwpt_alloc, data_len, iommu_hwpt_alloc, data_len);
SAME_FIELD(iommufd_hwpt_alloc, data_uptr, iommu_hwpt_alloc, data_uptr);
SAME_FIELD(iommufd_hwpt_alloc, fault_id, iommu_hwpt_alloc, fault_id);
SAME_FIELD(iommufd_hwpt_alloc, reserved2, iommu_hwpt_alloc, __reserved2);
SAME_SIZE(iommufd_fault_alloc, iommu_fault_alloc);
SAME_FIELD(iommufd_fault_alloc, size, iommu_fault_alloc, size);
SAME_FIELD(iommufd_fault_alloc, flags, iommu_fault_alloc, flags);
SAME_FIELD(iommufd_fault_alloc, out_fault_id, iommu_fault_alloc, out_fault_id);
SAME_FIELD(iommufd_fault_alloc, out_fault_fd, iommu_fault_alloc, out_fault_fd);
SAME(IOMMUFD_PGFAULT_PASID_VALID, IOMMU_PGFAULT_FLAGS_PASID_VALID);
SAME(IOMMUFD_PGFAULT_LAST_PAGE, IOMMU_PGFAULT_FLAGS_LAST_PAGE);
SAME(IOMMUFD_PGFAULT_READ, IOMMU_PGFAULT_PERM_READ);
SAME(IOMMUFD_PGFAULT_WRITE, IOMMU_PGFAULT_PERM_WRITE);
SAME(IOMMUFD_PGFAULT_EXEC, IOMMU_PGFAULT_PERM_EXEC);
SAME(IOMMUFD_PGFAULT_PRIV, IOMMU_PGFAULT_PERM_PRIV);
SAME_SIZE(iommufd_pgfault, iommu_hwpt_pgfault);
SAME_FIELD(iommufd_pgfault, flags, iommu_hwpt_pgfault, flags);
SAME_FIELD(iommufd_pgfault, dev_id, iommu_hwpt_pgfault, dev_id);
SAME_FIELD(iommufd_pgfault, pasid, iommu_hwpt_pgfault, pasid);
SAME_FIELD(iommufd_pgfault, grpid, iommu_hwpt_pgfault, grpid);
SAME_FIELD(iommufd_pgfault, perm, iommu_hwpt_pgfault, perm);
SAME_FIELD(iommufd_pgfault, addr, iommu_hwpt_pgfault, addr);
SAME_FIELD(iommufd_pgfault, length, iommu_hwpt_pgfault, length);
SAME_FIELD(iommufd_pgfault, cookie, iommu_hwpt_pgfault, cookie);
SAME(IOMMUFD_RESPONSE_SUCCESS, IOMMUFD_PAGE_RESP_SUCCESS);
SAME(IOMMUFD_RESPONSE_INVALID, IOMMUFD_PAGE_RESP_INVALID);
SAME_SIZE(iommufd_page_response, iommu_hwpt_page_response);
SAME_FIELD(iommufd_page_response, cookie, iommu_hwpt_page_response, cookie);
SAME_FIELD(iommufd_page_response, code, iommu_hwpt_page_response, code);
#endif

/* 6.13 and 6.14: virtual IOMMUs, mappings of files, change of process. */
#if defined(IOMMU_IOAS_CHANGE_PROCESS) || defined(ASSERT_ALL)
SAME(IOMMUFD_IOAS_MAP_FILE, IOMMU_IOAS_MAP_FILE);
SAME(IOMMUFD_VIOMMU_ALLOC, IOMMU_VIOMMU_ALLOC);
SAME(IOMMUFD_VDEVICE_ALLOC, IOMMU_VDEVICE_ALLOC);
SAME(IOMMUFD_IOAS_CHANGE_PROCESS, IOMMU_IOAS_CHANGE_PROCESS);
SAME_SIZE(iommufd_ioas_map_file, iommu_ioas_map_file);
SAME_FIELD(iommufd_ioas_map_file, size, iommu_ioas_map_file, size);
SAME_FIELD(iommufd_ioas_map_file, flags, iommu_ioas_map_file, flags);
SAME_FIELD(iommufd_ioas_map_file, ioas_id, iommu_ioas_map_file, ioas_id);
SAME_FIELD(iommufd_ioas_map_file, fd, iommu_ioas_map_file, fd);
SAME_FIELD(iommufd_ioas_map_file, start, iommu_ioas_map_file, start);
SAME_FIELD(iommufd_ioas_map_file, length, iommu_ioas_map_file, length);
SAME_FIELD(iommufd_ioas_map_file, iova, iommu_ioas_map_file, iova);
SAME_SIZE(iommufd_ioas_change_process, iommu_ioas_change_process);
SAME_FIELD(iommufd_ioas_change_process, size, iommu_ioas_change_process, size);
SAME_FIELD(iommufd_ioas_change_process, reserved, iommu_ioas_change_process, __reserved);
SAME(IOMMUFD_HWPT_PASID, IOMMU_HWPT_ALLOC_PASID);
SAME(IOMMUFD_HWPT_TYPE_ARM_SMMUV3, IOMMU_HWPT_DATA_ARM_SMMUV3);
SAME_SIZE(iommufd_hwpt_arm_smmuv3, iommu_hwpt_arm_smmuv3);
SAME_FIELD(iommufd_hwpt_arm_smmuv3, ste, iommu_hwpt_arm_smmuv3, ste);
SAME(IOMMUFD_INVALIDATE_ARM_SMMUV3, IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3);
SAME_SIZE(iommufd_viommu_arm_smmuv3_invalidate, iommu_viommu_arm_smmuv3_invalidate);
SAME_FIELD(iommufd_viommu_arm_smmuv3_invalidate, cmd, iommu_viommu_arm_smmuv3_invalidate, cmd);
SAME(IOMMUFD_HW_INFO_ARM_SMMUV3, IOMMU_HW_INFO_TYPE_ARM_SMMUV3);
SAME_SIZE(iommufd_hw_info_arm_smmuv3, iommu_hw_info_arm_smmuv3);
SAME_FIELD(iommufd_hw_info_arm_smmuv3, flags, iommu_hw_info_arm_smmuv3, flags);
SAME_FIELD(iommufd_hw_info_arm_smmuv3, reserved, iommu_hw_info_arm_smmuv3, __reserved);
SAME_FIELD(iommufd_hw_info_arm_smmuv3, idr, iommu_hw_info_arm_smmuv3, idr);
SAME_FIELD(iommufd_hw_info_arm_smmuv3, iidr, iommu_hw_info_arm_smmuv3, iidr);
SAME_FIELD(iommufd_hw_info_arm_smmuv3, aidr, iommu_hw_info_arm_smmuv3, aidr);
SAME(IOMMUFD_VIOMMU_DEFAULT, IOMMU_VIOMMU_TYPE_DEFAULT);
SAME(IOMMUFD_VIOMMU_ARM_SMMUV3, IOMMU_VIOMMU_TYPE_ARM_SMMUV3);
SAME_SIZE(iommufd_vdevice_alloc, iommu_vdevice_alloc);
SAME_FIELD(iommufd_vdevice_alloc, size, iommu_vdevice_alloc, size);
SAME_FIELD(iommufd_vdevice_alloc, viommu_id, iommu_vdevice_alloc, viommu_id);
SAME_FIELD(iommufd_vdevice_alloc, dev_id, iommu_vdevice_alloc, dev_id);
SAME_FIELD(iommufd_vdevice_alloc, out_vdevice_id, iommu_vdevice_alloc, out_vdevice_id);
SAME_FIELD(iommufd_vdevice_alloc, virt_id, iommu_vdevice_alloc, virt_id);
#endif

/* 6.15 to 6.17: PASIDs, event queues, hardware queues. */
#if defined(IOMMU_HW_QUEUE_ALLOC) || defined(ASSERT_ALL)
SAME(IOMMUFD_VEVENTQ_ALLOC, IOMMU_VEVENTQ_ALLOC);
SAME(IOMMUFD_HW_QUEUE_ALLOC, IOMMU_HW_QUEUE_ALLOC);
SAME(IOMMUFD_HW_CAP_PASID_EXEC, IOMMU_HW_CAP_PCI_PASID_EXEC);
SAME(IOMMUFD_HW_CAP_PASID_PRIV, IOMMU_HW_CAP_PCI_PASID_PRIV);
SAME(IOMMUFD_HW_INFO_INPUT_TYPE, IOMMU_HW_INFO_FLAG_INPUT_TYPE);
SAME(IOMMUFD_HW_INFO_TEGRA241_CMDQV, IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV);
SAME_FIELD(iommufd_hw_info, data_type, iommu_hw_info, in_data_type);
SAME_FIELD(iommufd_hw_info, out_max_pasid_log2, iommu_hw_info, out_max_pasid_log2);
SAME_FIELD(iommufd_hw_info, reserved, iommu_hw_info, __reserved);
SAME_SIZE(iommufd_hw_info_tegra241_cmdqv, iommu_hw_info_tegra241_cmdqv);
SAME_FIELD(iommufd_hw_info_tegra241_cmdqv, flags, iommu_hw_info_tegra241_cmdqv, flags);
SAME_FIELD(iommufd_hw_info_tegra241_cmdqv, version, iommu_hw_info_tegra241_cmdqv, version);
SAME_FIELD(iommufd_hw_info_tegra241_cmdqv, log2vcmdqs, iommu_hw_info_tegra241_cmdqv, log2vcmdqs);
SAME_FIELD(iommufd_hw_info_tegra241_cmdqv, log2vsids, iommu_hw_info_tegra241_cmdqv, log2vsids);
SAME_FIELD(iommufd_hw_info_tegra241_cmdqv, reserved, iommu_hw_info_tegra241_cmdqv, __reserved);
SAME(IOMMUFD_VIOMMU_TEGRA241_CMDQV, IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV);
SAME_SIZE(iommufd_viommu_tegra241_cmdqv, iommu_viommu_tegra241_cmdqv);
SAME_FIELD(iommufd_viommu_tegra241_cmdqv, out_vintf_mmap_offset, iommu_viommu_tegra241_cmdqv,
	   out_vintf_mmap_offset);
SAME_FIELD(iommufd_viommu_tegra241_cmdqv, out_vintf_mmap_length, iommu_viommu_tegra241_cmdqv,
	   out_vintf_mmap_length);
SAME_SIZE(iommufd_viommu_alloc, iommu_viommu_alloc);
SAME_FIELD(iommufd_viommu_alloc, size, iommu_viommu_alloc, size);
SAME_FIELD(iommufd_viommu_alloc, flags, iommu_viommu_alloc, flags);
SAME_FIELD(iommufd_viommu_alloc, type, iommu_viommu_alloc, type);
SAME_FIELD(iommufd_viommu_alloc, dev_id, iommu_viommu_alloc, dev_id);
SAME_FIELD(iommufd_viommu_alloc, hwpt_id, iommu_viommu_alloc, hwpt_id);
SAME_FIELD(iommufd_viommu_alloc, out_viommu_id, iommu_viommu_alloc, out_viommu_id);
SAME_FIELD(iommufd_viommu_alloc, data_len, iommu_viommu_alloc, data_len);
SAME_FIELD(iommufd_viommu_alloc, reserved, iommu_viommu_alloc, __reserved);
SAME_FIELD(iommufd_viommu_alloc, data_uptr, iommu_viommu_alloc, data_uptr);
SAME(IOMMUFD_VEVENTQ_DEFAULT, IOMMU_VEVENTQ_TYPE_DEFAULT);
SAME(IOMMUFD_VEVENTQ_ARM_SMMUV3, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3);
SAME(IOMMUFD_VEVENTQ_TEGRA241_CMDQV, IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV);
SAME_SIZE(iommufd_veventq_alloc, iommu_veventq_alloc);
SAME_FIELD(iommufd_veventq_alloc, size, iommu_veventq_alloc, size);
SAME_FIELD(iommufd_veventq_alloc, flags, iommu_veventq_alloc, flags);
SAME_FIELD(iommufd_veventq_alloc, viommu_id, iommu_veventq_alloc, viommu_id);
SAME_FIELD(iommufd_veventq_alloc, type, iommu_veventq_alloc, type);
SAME_FIELD(iommufd_veventq_alloc, veventq_depth, iommu_veventq_alloc, veventq_depth);
SAME_FIELD(iommufd_veventq_alloc, out_veventq_id, iommu_veventq_alloc, out_veventq_id);
SAME_FIELD(iommufd_veventq_alloc, out_veventq_fd, iommu_veventq_alloc, out_veventq_fd);
SAME_FIELD(iommufd_veventq_alloc, reserved, iommu_veventq_alloc, __reserved);
SAME(IOMMUFD_VEVENT_LOST, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
SAME_SIZE(iommufd_event_header, iommufd_vevent_header);
SAME_FIELD(iommufd_event_header, flags, iommufd_vevent_header, flags);
SAME_FIELD(iommufd_event_header, sequence, iommufd_vevent_header, sequence);
SAME_SIZE(iommufd_vevent_arm_smmuv3, iommu_vevent_arm_smmuv3);
SAME_FIELD(iommufd_vevent_arm_smmuv3, evt, iommu_vevent_arm_smmuv3, evt);
SAME_SIZE(iommufd_vevent_tegra241_cmdqv, iommu_vevent_tegra241_cmdqv);
SAME_FIELD(iommufd_vevent_tegra241_cmdqv, lvcmdq_err_map, iommu_vevent_tegra241_cmdqv,
	   lvcmdq_err_map);
SAME(IOMMUFD_HW_QUEUE_DEFAULT, IOMMU_HW_QUEUE_TYPE_DEFAULT);
SAME(IOMMUFD_HW_QUEUE_TEGRA241_CMDQV, IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV);
SAME_SIZE(iommufd_hw_queue_alloc, iommu_hw_queue_alloc);
SAME_FIELD(iommufd_hw_queue_alloc, size, iommu_hw_queue_alloc, size);
SAME_FIELD(iommufd_hw_queue_alloc, flags, iommu_hw_queue_alloc, flags);
SAME_FIELD(iommufd_hw_queue_alloc, viommu_id, iommu_hw_queue_alloc, viommu_id);
SAME_FIELD(iommufd_hw_queue_alloc, type, iommu_hw_queue_alloc, type);
SAME_FIELD(iommufd_hw_queue_alloc, index, iommu_hw_queue_alloc, index);
SAME_FIELD(iommufd_hw_queue_alloc, out_hw_queue_id, iommu_hw_queue_alloc, out_hw_queue_id);
SAME_FIELD(iommufd_hw_queue_alloc, nesting_parent_iova, iommu_hw_queue_alloc, nesting_parent_iova);
SAME_FIELD(iommufd_hw_queue_alloc, length, iommu_hw_queue_alloc, length);
#endif

/* 7.x: AMD guest tables and info, physical addresses without an IOMMU. */
#if defined(IOMMU_IOAS_NOIOMMU_GET_PA) || defined(ASSERT_ALL)
SAME(IOMMUFD_IOAS_NOIOMMU_GET_PA, IOMMU_IOAS_NOIOMMU_GET_PA);
SAME_SIZE(iommufd_ioas_noiommu_get_pa, iommu_ioas_noiommu_get_pa);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, size, iommu_ioas_noiommu_get_pa, size);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, flags, iommu_ioas_noiommu_get_pa, flags);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, ioas_id, iommu_ioas_noiommu_get_pa, ioas_id);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, reserved, iommu_ioas_noiommu_get_pa, __reserved);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, iova, iommu_ioas_noiommu_get_pa, iova);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, length, iommu_ioas_noiommu_get_pa, length);
SAME_FIELD(iommufd_ioas_noiommu_get_pa, out_phys, iommu_ioas_noiommu_get_pa, out_phys);
SAME(IOMMUFD_HW_INFO_AMD, IOMMU_HW_INFO_TYPE_AMD);
SAME_SIZE(iommufd_hw_info_amd, iommu_hw_info_amd);
SAME_FIELD(iommufd_hw_info_amd, efr, iommu_hw_info_amd, efr);
SAME_FIELD(iommufd_hw_info_amd, efr2, iommu_hw_info_amd, efr2);
SAME(IOMMUFD_HWPT_TYPE_AMD_GUEST, IOMMU_HWPT_DATA_AMD_GUEST);
SAME_SIZE(iommufd_hwpt_amd_guest, iommu_hwpt_amd_guest);
SAME_FIELD(iommufd_hwpt_amd_guest, dte, iommu_hwpt_amd_guest, dte);
SAME(IOMMUFD_HW_CAP_ATS_NOT_SUPPORTED, IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
SAME(IOMMUFD_HW_INFO_SMMUV3_REPEAT_TLBI_CFGI, IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI);
SAME_FIELD(iommufd_pgfault, reserved, iommu_hwpt_pgfault, __reserved);
#endif

SAME(VFIO_DEV_GET_INFO, VFIO_DEVICE_GET_INFO);
SAME_FIELD(vfio_dev_info, argsz, vfio_device_info, argsz);
SAME_FIELD(vfio_dev_info, flags, vfio_device_info, flags);
SAME_FIELD(vfio_dev_info, num_regions, vfio_device_info, num_regions);
SAME_FIELD(vfio_dev_info, num_irqs, vfio_device_info, num_irqs);
SAME_FIELD(vfio_dev_info, cap_offset, vfio_device_info, cap_offset);
SAME(VFIO_DEV_SET_IRQS, VFIO_DEVICE_SET_IRQS);
SAME(VFIO_DEV_IRQ_EVENTFD, VFIO_IRQ_SET_DATA_EVENTFD);
SAME(VFIO_DEV_IRQ_TRIGGER, VFIO_IRQ_SET_ACTION_TRIGGER);
SAME(VFIO_DEV_PCI_REQUEST, VFIO_PCI_REQ_IRQ_INDEX);
SAME_FIELD(vfio_dev_irq_set, argsz, vfio_irq_set, argsz);
SAME_FIELD(vfio_dev_irq_set, flags, vfio_irq_set, flags);
SAME_FIELD(vfio_dev_irq_set, index, vfio_irq_set, index);
SAME_FIELD(vfio_dev_irq_set, start, vfio_irq_set, start);
SAME_FIELD(vfio_dev_irq_set, count, vfio_irq_set, count);
_Static_assert(offsetof(struct vfio_dev_irq_set, eventfd) == offsetof(struct vfio_irq_set, data),
	       "data of vfio_irq_set");

/* 6.6: the device node; with PASIDs and tokens later. */
SAME(VFIO_DEV_FEATURE, VFIO_DEVICE_FEATURE);
SAME(VFIO_DEV_FEATURE_GET, VFIO_DEVICE_FEATURE_GET);
SAME_SIZE(vfio_dev_feature, vfio_device_feature);
SAME_FIELD(vfio_dev_feature, argsz, vfio_device_feature, argsz);
SAME_FIELD(vfio_dev_feature, flags, vfio_device_feature, flags);

/* Linux 6.19 */
#if defined(VFIO_DEVICE_FEATURE_DMA_BUF) || defined(ASSERT_ALL)
SAME(VFIO_DEV_DMA_BUF, VFIO_DEVICE_FEATURE_DMA_BUF);
SAME_SIZE(vfio_dev_dma_range, vfio_region_dma_range);
SAME_FIELD(vfio_dev_dma_range, offset, vfio_region_dma_range, offset);
SAME_FIELD(vfio_dev_dma_range, length, vfio_region_dma_range, length);
SAME_SIZE(vfio_dev_feature_dma_buf, vfio_device_feature_dma_buf);
SAME_FIELD(vfio_dev_feature_dma_buf, region_index, vfio_device_feature_dma_buf, region_index);
SAME_FIELD(vfio_dev_feature_dma_buf, open_flags, vfio_device_feature_dma_buf, open_flags);
SAME_FIELD(vfio_dev_feature_dma_buf, flags, vfio_device_feature_dma_buf, flags);
SAME_FIELD(vfio_dev_feature_dma_buf, nr_ranges, vfio_device_feature_dma_buf, nr_ranges);
#endif

#if defined(VFIO_DEVICE_ATTACH_PASID) || defined(ASSERT_ALL)
SAME_SIZE(vfio_dev_info, vfio_device_info);
SAME_FIELD(vfio_dev_info, pad, vfio_device_info, pad);
SAME(VFIO_DEV_BIND_IOMMUFD, VFIO_DEVICE_BIND_IOMMUFD);
SAME(VFIO_DEV_ATTACH_IOMMUFD_PT, VFIO_DEVICE_ATTACH_IOMMUFD_PT);
SAME(VFIO_DEV_DETACH_IOMMUFD_PT, VFIO_DEVICE_DETACH_IOMMUFD_PT);
SAME_FIELD(vfio_dev_bind_iommufd, argsz, vfio_device_bind_iommufd, argsz);
SAME_FIELD(vfio_dev_bind_iommufd, flags, vfio_device_bind_iommufd, flags);
SAME_FIELD(vfio_dev_bind_iommufd, iommufd, vfio_device_bind_iommufd, iommufd);
SAME_FIELD(vfio_dev_bind_iommufd, out_devid, vfio_device_bind_iommufd, out_devid);
SAME(VFIO_DEV_ATTACH_PASID, VFIO_DEVICE_ATTACH_PASID);
SAME_SIZE(vfio_dev_attach_iommufd_pt, vfio_device_attach_iommufd_pt);
SAME_FIELD(vfio_dev_attach_iommufd_pt, argsz, vfio_device_attach_iommufd_pt, argsz);
SAME_FIELD(vfio_dev_attach_iommufd_pt, flags, vfio_device_attach_iommufd_pt, flags);
SAME_FIELD(vfio_dev_attach_iommufd_pt, pt_id, vfio_device_attach_iommufd_pt, pt_id);
SAME_FIELD(vfio_dev_attach_iommufd_pt, pasid, vfio_device_attach_iommufd_pt, pasid);
SAME(VFIO_DEV_DETACH_PASID, VFIO_DEVICE_DETACH_PASID);
SAME_SIZE(vfio_dev_detach_iommufd_pt, vfio_device_detach_iommufd_pt);
SAME_FIELD(vfio_dev_detach_iommufd_pt, argsz, vfio_device_detach_iommufd_pt, argsz);
SAME_FIELD(vfio_dev_detach_iommufd_pt, flags, vfio_device_detach_iommufd_pt, flags);
SAME_FIELD(vfio_dev_detach_iommufd_pt, pasid, vfio_device_detach_iommufd_pt, pasid);
#endif
#if defined(VFIO_DEVICE_BIND_FLAG_TOKEN) || defined(ASSERT_ALL)
SAME(VFIO_DEV_BIND_TOKEN, VFIO_DEVICE_BIND_FLAG_TOKEN);
SAME_SIZE(vfio_dev_bind_iommufd, vfio_device_bind_iommufd);
SAME_FIELD(vfio_dev_bind_iommufd, token_uuid_ptr, vfio_device_bind_iommufd, token_uuid_ptr);
#endif

/* Containers, groups and type 1: as they have been since 5.12. */
SAME(VFIO_CONT_API_VERSION, VFIO_GET_API_VERSION);
SAME(VFIO_CONT_CHECK_EXTENSION, VFIO_CHECK_EXTENSION);
SAME(VFIO_CONT_SET_TYPE, VFIO_SET_IOMMU);
SAME(VFIO_CONT_VERSION, VFIO_API_VERSION);
SAME(VFIO_CONT_TYPE1_V2, VFIO_TYPE1v2_IOMMU);
SAME(VFIO_GRP_STATUS, VFIO_GROUP_GET_STATUS);
SAME(VFIO_GRP_SET_CONTAINER, VFIO_GROUP_SET_CONTAINER);
SAME(VFIO_GRP_UNSET_CONTAINER, VFIO_GROUP_UNSET_CONTAINER);
SAME(VFIO_GRP_OPEN_DEVICE, VFIO_GROUP_GET_DEVICE_FD);
SAME(VFIO_GRP_VIABLE, VFIO_GROUP_FLAGS_VIABLE);
SAME(VFIO_GRP_HAS_CONTAINER, VFIO_GROUP_FLAGS_CONTAINER_SET);
SAME_SIZE(vfio_grp_status, vfio_group_status);
SAME_FIELD(vfio_grp_status, argsz, vfio_group_status, argsz);
SAME_FIELD(vfio_grp_status, flags, vfio_group_status, flags);
SAME(VFIO_T1_INFO, VFIO_IOMMU_GET_INFO);
SAME(VFIO_T1_INFO_PGSIZES, VFIO_IOMMU_INFO_PGSIZES);
SAME(VFIO_T1_INFO_CAPS, VFIO_IOMMU_INFO_CAPS);
SAME_SIZE(vfio_t1_info, vfio_iommu_type1_info);
SAME_FIELD(vfio_t1_info, argsz, vfio_iommu_type1_info, argsz);
SAME_FIELD(vfio_t1_info, flags, vfio_iommu_type1_info, flags);
SAME_FIELD(vfio_t1_info, iova_pgsizes, vfio_iommu_type1_info, iova_pgsizes);
SAME_FIELD(vfio_t1_info, cap_offset, vfio_iommu_type1_info, cap_offset);
SAME_SIZE(vfio_cap, vfio_info_cap_header);
SAME_FIELD(vfio_cap, id, vfio_info_cap_header, id);
SAME_FIELD(vfio_cap, version, vfio_info_cap_header, version);
SAME_FIELD(vfio_cap, next, vfio_info_cap_header, next);
SAME(VFIO_T1_CAP_IOVA_RANGE, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
SAME_SIZE(vfio_t1_iova_range, vfio_iova_range);
SAME_FIELD(vfio_t1_iova_range, start, vfio_iova_range, start);
SAME_FIELD(vfio_t1_iova_range, end, vfio_iova_range, end);
SAME_SIZE(vfio_t1_cap_iova_range, vfio_iommu_type1_info_cap_iova_range);
SAME_FIELD(vfio_t1_cap_iova_range, cap, vfio_iommu_type1_info_cap_iova_range, header);
SAME_FIELD(vfio_t1_cap_iova_range, nr_iovas, vfio_iommu_type1_info_cap_iova_range, nr_iovas);
SAME_FIELD(vfio_t1_cap_iova_range, reserved, vfio_iommu_type1_info_cap_iova_range, reserved);
SAME(VFIO_T1_CAP_MIGRATION, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
SAME_SIZE(vfio_t1_cap_migration, vfio_iommu_type1_info_cap_migration);
SAME_FIELD(vfio_t1_cap_migration, cap, vfio_iommu_type1_info_cap_migration, header);
SAME_FIELD(vfio_t1_cap_migration, flags, vfio_iommu_type1_info_cap_migration, flags);
SAME_FIELD(vfio_t1_cap_migration, pgsize_bitmap, vfio_iommu_type1_info_cap_migration,
	   pgsize_bitmap);
SAME_FIELD(vfio_t1_cap_migration, max_dirty_bitmap_size, vfio_iommu_type1_info_cap_migration,
	   max_dirty_bitmap_size);
SAME(VFIO_T1_CAP_DMA_AVAIL, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
SAME_SIZE(vfio_t1_cap_dma_avail, vfio_iommu_type1_info_dma_avail);
SAME_FIELD(vfio_t1_cap_dma_avail, cap, vfio_iommu_type1_info_dma_avail, header);
SAME_FIELD(vfio_t1_cap_dma_avail, avail, vfio_iommu_type1_info_dma_avail, avail);
SAME(VFIO_T1_MAP, VFIO_IOMMU_MAP_DMA);
SAME(VFIO_T1_MAP_READ, VFIO_DMA_MAP_FLAG_READ);
SAME(VFIO_T1_MAP_WRITE, VFIO_DMA_MAP_FLAG_WRITE);
SAME(VFIO_T1_MAP_VADDR, VFIO_DMA_MAP_FLAG_VADDR);
SAME_SIZE(vfio_t1_map, vfio_iommu_type1_dma_map);
SAME_FIELD(vfio_t1_map, argsz, vfio_iommu_type1_dma_map, argsz);
SAME_FIELD(vfio_t1_map, flags, vfio_iommu_type1_dma_map, flags);
SAME_FIELD(vfio_t1_map, vaddr, vfio_iommu_type1_dma_map, vaddr);
SAME_FIELD(vfio_t1_map, iova, vfio_iommu_type1_dma_map, iova);
SAME_FIELD(vfio_t1_map, size, vfio_iommu_type1_dma_map, size);
SAME(VFIO_T1_UNMAP, VFIO_IOMMU_UNMAP_DMA);
SAME_SIZE(vfio_t1_unmap, vfio_iommu_type1_dma_unmap);
SAME_FIELD(vfio_t1_unmap, argsz, vfio_iommu_type1_dma_unmap, argsz);
SAME_FIELD(vfio_t1_unmap, flags, vfio_iommu_type1_dma_unmap, flags);
SAME_FIELD(vfio_t1_unmap, iova, vfio_iommu_type1_dma_unmap, iova);
SAME_FIELD(vfio_t1_unmap, size, vfio_iommu_type1_dma_unmap, size);
SAME(VFIO_T1_DIRTY, VFIO_IOMMU_DIRTY_PAGES);
SAME(VFIO_T1_DIRTY_START, VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
SAME(VFIO_T1_DIRTY_STOP, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
SAME(VFIO_T1_DIRTY_GET, VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);
SAME_SIZE(vfio_t1_bitmap, vfio_bitmap);
SAME_FIELD(vfio_t1_bitmap, pgsize, vfio_bitmap, pgsize);
SAME_FIELD(vfio_t1_bitmap, size, vfio_bitmap, size);
SAME_FIELD(vfio_t1_bitmap, data, vfio_bitmap, data);
SAME_FIELD(vfio_t1_dirty, argsz, vfio_iommu_type1_dirty_bitmap, argsz);
SAME_FIELD(vfio_t1_dirty, flags, vfio_iommu_type1_dirty_bitmap, flags);
/* The kernel has the rest in a struct of its own that follows. */
#define SAME_REST(field, their_field)                                                            \
	_Static_assert(                                                                          \
		offsetof(struct vfio_t1_dirty, field) ==                                         \
			offsetof(struct vfio_iommu_type1_dirty_bitmap, data) +                   \
				offsetof(struct vfio_iommu_type1_dirty_bitmap_get, their_field), \
		"vfio_t1_dirty." #field)
SAME_REST(iova, iova);
SAME_REST(size, size);
SAME_REST(bitmap, bitmap);
_Static_assert(sizeof(struct vfio_t1_dirty) ==
		       sizeof(struct vfio_iommu_type1_dirty_bitmap) +
			       sizeof(struct vfio_iommu_type1_dirty_bitmap_get),
	       "size of vfio_t1_dirty");

/* Of the mock IOMMU no ABI header tells; these are the sizes that Linux 7.3 takes. */
#define MOCK_AT(field, offset) \
	_Static_assert(offsetof(struct iommufd_test, field) == (offset), "iommufd_test." #field)
_Static_assert(IOMMUFD_TEST == _IO(';', 0xa0), "IOMMUFD_TEST");
_Static_assert(sizeof(struct iommufd_test) == 72, "iommufd_test");
MOCK_AT(op, 4);
MOCK_AT(id, 8);
MOCK_AT(mock_device.out_mock_id, 16);
MOCK_AT(mock_device.out_device_id, 24);
MOCK_AT(mock_device.flags, 28);
MOCK_AT(check_map.va, 32);
MOCK_AT(dirty.iova, 24);
MOCK_AT(dirty.bitmap, 48);
MOCK_AT(dirty.out_count, 56);
MOCK_AT(fault.addr, 32);
MOCK_AT(pasid_attach.pt_id, 20);
MOCK_AT(last, 64);
_Static_assert(sizeof(struct iommufd_hwpt_mock) == 8, "iommufd_hwpt_mock");
_Static_assert(sizeof(struct iommufd_hwpt_mock_invalidate) == 8, "iommufd_hwpt_mock_invalidate");
_Static_assert(sizeof(struct iommufd_viommu_mock_invalidate) == 12, "viommu_mock_invalidate");

/* vDPA: its netlink family, and vhost-vdpa. */
SAME(VDPA_NETLINK_VERSION, VDPA_GENL_VERSION);
_Static_assert(sizeof(VDPA_NETLINK_FAMILY) == sizeof(VDPA_GENL_NAME), "VDPA_NETLINK_FAMILY");
SAME(VDPA_NETLINK_MGMTDEV_NEW, VDPA_CMD_MGMTDEV_NEW);
SAME(VDPA_NETLINK_MGMTDEV_GET, VDPA_CMD_MGMTDEV_GET);
SAME(VDPA_NETLINK_DEV_NEW, VDPA_CMD_DEV_NEW);
SAME(VDPA_NETLINK_DEV_DEL, VDPA_CMD_DEV_DEL);
SAME(VDPA_NETLINK_DEV_GET, VDPA_CMD_DEV_GET);
SAME(VDPA_NETLINK_MGMTDEV_BUS_NAME, VDPA_ATTR_MGMTDEV_BUS_NAME);
SAME(VDPA_NETLINK_MGMTDEV_DEV_NAME, VDPA_ATTR_MGMTDEV_DEV_NAME);
SAME(VDPA_NETLINK_MGMTDEV_SUPPORTED_CLASSES, VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES);
SAME(VDPA_NETLINK_DEV_NAME, VDPA_ATTR_DEV_NAME);
SAME(VDPA_NETLINK_DEV_ID, VDPA_ATTR_DEV_ID);
SAME(VDPA_NETLINK_DEV_VENDOR_ID, VDPA_ATTR_DEV_VENDOR_ID);
SAME(VDPA_NETLINK_DEV_MAX_VQS, VDPA_ATTR_DEV_MAX_VQS);
SAME(VDPA_NETLINK_DEV_MAX_VQ_SIZE, VDPA_ATTR_DEV_MAX_VQ_SIZE);
SAME(VDPA_NETLINK_DEV_NET_CFG_MACADDR, VDPA_ATTR_DEV_NET_CFG_MACADDR);
SAME(VDPA_NETLINK_DEV_NET_CFG_MAX_VQP, VDPA_ATTR_DEV_NET_CFG_MAX_VQP);
SAME(VDPA_NETLINK_DEV_NET_CFG_MTU, VDPA_ATTR_DEV_NET_CFG_MTU);
SAME(VDPA_NETLINK_DEV_MGMTDEV_MAX_VQS, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS);
SAME(VHOST_VDPA_OWN, VHOST_SET_OWNER);
SAME(VHOST_VDPA_FEATURES_GET, VHOST_GET_BACKEND_FEATURES);
SAME(VHOST_VDPA_FEATURES_SET, VHOST_SET_BACKEND_FEATURES);
SAME(VHOST_VDPA_DEVICE_ID, VHOST_VDPA_GET_DEVICE_ID);
SAME(VHOST_VDPA_IOVA_RANGE, VHOST_VDPA_GET_IOVA_RANGE);
SAME_SIZE(vhost_vdpa_range, vhost_vdpa_iova_range);
SAME_FIELD(vhost_vdpa_range, first, vhost_vdpa_iova_range, first);
SAME_FIELD(vhost_vdpa_range, last, vhost_vdpa_iova_range, last);
SAME_SIZE(vhost_vdpa_state, vhost_vring_state);
SAME_FIELD(vhost_vdpa_state, index, vhost_vring_state, index);
SAME_FIELD(vhost_vdpa_state, num, vhost_vring_state, num);
SAME_SIZE(vhost_vdpa_message, vhost_msg_v2);
SAME_FIELD(vhost_vdpa_message, type, vhost_msg_v2, type);
SAME_FIELD(vhost_vdpa_message, iova, vhost_msg_v2, iotlb.iova);
SAME_FIELD(vhost_vdpa_message, size, vhost_msg_v2, iotlb.size);
SAME_FIELD(vhost_vdpa_message, uaddr, vhost_msg_v2, iotlb.uaddr);
SAME_FIELD(vhost_vdpa_message, perm, vhost_msg_v2, iotlb.perm);
SAME_FIELD(vhost_vdpa_message, request, vhost_msg_v2, iotlb.type);
SAME(VHOST_VDPA_MESSAGE_V2, VHOST_IOTLB_MSG_V2);
SAME(VHOST_VDPA_UPDATE, VHOST_IOTLB_UPDATE);
SAME(VHOST_VDPA_INVALIDATE, VHOST_IOTLB_INVALIDATE);
SAME(VHOST_VDPA_BATCH_BEGIN, VHOST_IOTLB_BATCH_BEGIN);
SAME(VHOST_VDPA_BATCH_END, VHOST_IOTLB_BATCH_END);
SAME(VHOST_VDPA_READ, VHOST_ACCESS_RO);
SAME(VHOST_VDPA_WRITE, VHOST_ACCESS_WO);
SAME(VHOST_VDPA_F_MSG_V2, VHOST_BACKEND_F_IOTLB_MSG_V2);
SAME(VHOST_VDPA_F_BATCH, VHOST_BACKEND_F_IOTLB_BATCH);
/* Linux 6.0. */
#if defined(VHOST_VDPA_GET_GROUP_NUM) || defined(ASSERT_ALL)
SAME_FIELD(vhost_vdpa_message, asid, vhost_msg_v2, asid);
SAME(VHOST_VDPA_F_ASID, VHOST_BACKEND_F_IOTLB_ASID);
SAME(VHOST_VDPA_SPACES, VHOST_VDPA_GET_AS_NUM);
SAME(VHOST_VDPA_GROUPS, VHOST_VDPA_GET_GROUP_NUM);
SAME(VHOST_VDPA_GROUP_TO_ASID, VHOST_VDPA_SET_GROUP_ASID);
#endif
#if defined(VHOST_BACKEND_F_IOTLB_PERSIST) || defined(ASSERT_ALL)
SAME(VHOST_VDPA_F_PERSIST, VHOST_BACKEND_F_IOTLB_PERSIST);
#endif

static const struct {
	const char *name;
	unsigned long request;
	size_t size;
} calls[] = {
#define X(name, number, arg) {#name, IOMMUFD_##name, sizeof(struct arg)},
	IOMMUFD_IOCTLS(X)
#undef X
};

/* The kernel finds an argument's first field by this; a hole would be a call that was forgotten. */
static void test_every_number_is_there_once(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(calls), 22);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(calls[i].request, _IO(';', 0x80 + i));
		assert_in_range(calls[i].size, 8, 64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number_is_there_once),
	};

	return cmocka_run_group_tests_name("uapi", tests, NULL, NULL);
}
