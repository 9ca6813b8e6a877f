# SPDX-License-Identifier: GPL-2.0-or-later
# A program that has a device of the holder's. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154

# Takes a descriptor of another process (pidfd_getfd), as a program has that one was handed.
cat >user.py <<'END'
import ctypes, os, socket, sys, time
how, pid, fds = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
libc = ctypes.CDLL(None, use_errno=True)
pidfd = os.pidfd_open(pid)
device = next(int(fd) for fd in os.listdir(f'/proc/{pid}/fd')
              if os.readlink(f'/proc/{pid}/fd/{fd}').startswith(('/dev/vfio/devices/', 'anon_inode:[vfio-device]')))
device = libc.syscall(438, pidfd, device, 0)
if device < 0:
    raise OSError(ctypes.get_errno(), 'pidfd_getfd')
if how == 'mapped':  # mmap.mmap() would keep a descriptor
    libc.mmap.restype = ctypes.c_void_p
    bar = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, device, ctypes.c_long(0))
    if bar == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), 'mmap')
    os.close(device)
elif how == 'hidden':
    a, b = socket.socketpair()
    socket.send_fds(a, [b'x'], [device])
    os.close(device)
print('used', flush=True)
time.sleep(1000)
END
use() { # HOW
	rm -f user.out
	/usr/bin/python3 user.py "$1" "$(holders | head -n 1)" >user.out 2>&1 &
	user=$!
	disown $user
	eventually grep -q used user.out
	ok "a program has the device: $1" || sed 's/^/#   /' user.out
}
end_user() {
	kill -KILL $user
	eventually is_gone $user
}
