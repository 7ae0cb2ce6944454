/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/file.h"

TestSuite(host_file, .init = box_enter, .fini = box_leave, .timeout = 60);

#define CONF "/etc/conf"
#define OLD "one\ntwo\n"

static const struct host *host(void)
{
	return &box()->host;
}

static void make_conf(void)
{
	box_mkdir("/etc", 0755);
	box_write(CONF, OLD);
}

static int read_as(const char *path, enum host_read_flags flags, struct error *err)
{
	struct host_file f = HOST_FILE_INIT;
	int r = host_file_read(host(), path, flags, &f, err);

	host_file_release(&f);
	return r;
}

/* Refused by name, with something to do about it, and untouched. */
static void refuses(const char *path, enum host_read_flags flags, const char *words)
{
	struct error err = ERROR_INIT;
	char *before = box_look(path), *after;

	box_fails(read_as(path, flags, &err), ERROR_REFUSED, words);
	after = box_look(path);
	box_str(after, before);
	free(before);
	free(after);
}

/* ---- reading */

Test(host_file, is_read_with_all_that_belongs_to_it)
{
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 1234567890, .tv_nsec = 7 } };
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error err = ERROR_INIT;
	struct stat st;

	make_conf();
	cr_assert(eq(int, chmod(box_path(CONF), 0640), 0));
	cr_assert(eq(int, chown(box_path(CONF), 0, 12), 0));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(CONF), times, 0), 0));
	cr_assert(eq(int, stat(box_path(CONF), &st), 0));
	box_ok(host_file_read(host(), CONF, HOST_READ_TARGET, &f, &err));
	box_str(f.bytes.data, OLD);
	cr_expect(eq(sz, f.bytes.len, strlen(OLD)));
	box_str(f.digest.hex, digest_of(OLD, strlen(OLD)).hex);
	cr_expect(eq(uint, f.meta.mode, 0640));
	cr_expect(eq(uint, f.meta.uid, 0));
	cr_expect(eq(uint, f.meta.gid, 12));
	cr_expect(eq(i64, f.meta.mtime_ns, 1234567890000000007));
	cr_expect(eq(i64, f.ctime_ns, timespec_ns(st.st_ctim)));
	cr_expect(f.dev == st.st_dev && f.ino == st.st_ino);
	cr_expect(digest_is_valid(f.meta.attrs.hex));
}

Test(host_file, is_read_to_its_last_byte_whatever_its_size)
{
	static const size_t sizes[] = { 0, 1, 254, 255, 256, 257, 4095, 4096, 65535, 65536, 200001 };
	static char bytes[200002];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
		struct error err = ERROR_INIT;

		box_ok(host_file_create(host(), "/f", slice_of(bytes, sizes[i]), 0600, -1, &err));
		box_ok(host_file_read(host(), "/f", HOST_READ_OWN, &f, &err));
		cr_expect(slice_equal(slice_of(f.bytes.data, f.bytes.len), slice_of(bytes, sizes[i])),
			  "%zu bytes, %zu read", sizes[i], f.bytes.len);
		cr_expect(eq(chr, f.bytes.data[f.bytes.len], '\0'));
		box_ok(host_file_unlink(host(), "/f", &err));
	}
}

Test(host_file, that_is_missing_is_told_by_errno)
{
	struct error err = ERROR_INIT;

	box_fails(read_as("/no", HOST_READ_TARGET, &err), ERROR_REFUSED, "/no: No such file");
	cr_expect(eq(int, err.sys_errno, ENOENT));
	box_fails(read_as("/no/where", HOST_READ_OWN, &err), ERROR_REFUSED, "/no/where");
	cr_expect(eq(int, err.sys_errno, ENOENT));
	cr_expect(not(host_file_exists(host(), "/no")));
}

Test(host_file, refuses_a_symbolic_link_and_names_its_target)
{
	make_conf();
	cr_assert(eq(int, symlink("conf", box_path("/etc/link")), 0));
	cr_assert(eq(int, symlink("/nowhere", box_path("/etc/dangling")), 0));
	refuses("/etc/link", HOST_READ_ANY, "is a symbolic link to conf");
	refuses("/etc/link", HOST_READ_TARGET, "is a symbolic link to conf");
	refuses("/etc/link", HOST_READ_OWN, "is a symbolic link to conf");
	refuses("/etc/dangling", HOST_READ_TARGET, "is a symbolic link to /nowhere");
	cr_expect(host_file_exists(host(), "/etc/dangling"));
}

Test(host_file, follows_a_link_only_when_it_is_asked_to)
{
	struct error err = ERROR_INIT;
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	make_conf();
	cr_assert(eq(int, symlink("conf", box_path("/etc/link")), 0));
	box_ok(host_file_read(host(), "/etc/link", HOST_READ_FOLLOW, &f, &err));
	box_str(f.bytes.data, OLD);
}

/* Opened without O_NONBLOCK a FIFO would block for ever: the suite's timeout would tell. */
Test(host_file, refuses_what_is_no_regular_file)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct error err = ERROR_INIT;

	cr_assert(eq(int, mkfifo(box_path("/fifo"), 0600), 0));
	refuses("/fifo", HOST_READ_ANY, "is not a regular file");
	refuses("/fifo", HOST_READ_TARGET, "is not a regular file");
	refuses("/fifo", HOST_READ_OWN, "is not a regular file");
	refuses("/fifo", HOST_READ_FOLLOW, "is not a regular file");
	box_mkdir("/folder", 0755);
	refuses("/folder", HOST_READ_TARGET, "is not a regular file");
	if (mknod(box_path("/null"), S_IFCHR | 0600, makedev(1, 3)) == 0) {
		cr_expect(eq(int, read_as("/null", HOST_READ_TARGET, &err), -1));
	}
	(void)snprintf(where.sun_path, sizeof(where.sun_path), "%s", box_path("/socket"));
	cr_assert(eq(int, bind(fd, (struct sockaddr *)&where, sizeof(where)), 0));
	cr_expect(eq(int, read_as("/socket", HOST_READ_TARGET, &err), -1));
	(void)close(fd);
}

Test(host_file, refuses_to_replace_one_of_several_hard_links)
{
	struct error err = ERROR_INIT;

	make_conf();
	cr_assert(eq(int, link(box_path(CONF), box_path("/etc/conf2")), 0));
	refuses(CONF, HOST_READ_TARGET, "has 2 hard links");
	box_ok(read_as(CONF, HOST_READ_ANY, &err));
	refuses(CONF, HOST_READ_OWN, "not as rootlatch left it");
}

Test(host_file, refuses_to_replace_what_others_can_write)
{
	static const mode_t bad[] = { 0664, 0646, 0666, 0777, 02664 };
	static const mode_t good[] = { 0644, 0600, 0400, 0755, 0444, 0 };
	struct error err = ERROR_INIT;

	make_conf();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert(eq(int, chmod(box_path(CONF), bad[i]), 0));
		refuses(CONF, HOST_READ_TARGET, "can be written by others than root");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_assert(eq(int, chmod(box_path(CONF), good[i]), 0));
		box_ok(read_as(CONF, HOST_READ_TARGET, &err));
	}
	cr_assert(eq(int, chown(box_path(CONF), 1000, 0), 0));
	refuses(CONF, HOST_READ_TARGET, "belongs to uid 1000, not to root");
}

Test(host_file, refuses_to_replace_it_in_a_folder_that_others_can_write)
{
	struct error err = ERROR_INIT;

	box_mkdir("/a", 0755);
	box_mkdir("/a/b", 0755);
	box_write("/a/b/conf", OLD);
	box_ok(read_as("/a/b/conf", HOST_READ_TARGET, &err));
	box_mkdir("/a/b", 0775);
	refuses("/a/b/conf", HOST_READ_TARGET, "can write to its folder /a/b (owner 0, mode 0775)");
	box_mkdir("/a/b", 0755);
	box_mkdir("/a", 0777);
	refuses("/a/b/conf", HOST_READ_TARGET, "can write to its folder /a (owner 0, mode 0777)");
	box_mkdir("/a", 01777);
	box_ok(read_as("/a/b/conf", HOST_READ_TARGET, &err));
	/* anybody could make our hidden file there before us */
	box_mkdir("/a/b", 01777);
	refuses("/a/b/conf", HOST_READ_TARGET, "its folder /a/b (owner 0, mode 1777)");
	box_mkdir("/a/b", 0755);
	cr_assert(eq(int, chown(box_path("/a/b"), 1000, 0), 0));
	refuses("/a/b/conf", HOST_READ_TARGET, "its folder /a/b (owner 1000");
	/* the root folder too */
	cr_assert(eq(int, chown(box_path("/a/b"), 0, 0), 0));
	box_mkdir("", 0775);
	refuses("/a/b/conf", HOST_READ_TARGET, "can write to its folder / ");
	box_ok(read_as("/a/b/conf", HOST_READ_ANY, &err));
}

static bool set_flags(const char *path, int flags)
{
	int fd = open(box_path(path), O_RDONLY | O_CLOEXEC);
	bool done = fd >= 0 && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;

	(void)close(fd);
	return done;
}

Test(host_file, refuses_to_replace_what_is_immutable)
{
	make_conf();
	if (!set_flags(CONF, FS_IMMUTABLE_FL))
		cr_skip_test("no file flags on this filesystem, or not allowed");
	refuses(CONF, HOST_READ_TARGET, "is immutable");
	cr_assert(set_flags(CONF, FS_APPEND_FL));
	refuses(CONF, HOST_READ_TARGET, "is append-only");
	cr_assert(set_flags(CONF, 0));
}

Test(host_file, refuses_to_replace_a_mount_point_and_what_lies_read_only)
{
	struct error err = ERROR_INIT;

	make_conf();
	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_write("/other", "other\n");
	cr_assert(eq(int, mount(box_path("/other"), box_path(CONF), "none", MS_BIND, NULL), 0));
	refuses(CONF, HOST_READ_TARGET, "is a mount point of its own");
	box_ok(read_as(CONF, HOST_READ_ANY, &err));
	cr_assert(eq(int, umount(box_path(CONF)), 0));
	cr_assert(eq(int, mount(box_path("/etc"), box_path("/etc"), "none", MS_BIND, NULL), 0));
	cr_assert(eq(int, mount("none", box_path("/etc"), "none", MS_BIND | MS_REMOUNT | MS_RDONLY,
				NULL), 0));
	refuses(CONF, HOST_READ_TARGET, "lies on a read-only filesystem");
}

Test(host_file, of_ours_is_refused_when_it_is_not_as_we_left_it)
{
	static const mode_t bad[] = { 0400, 0640, 0644, 0700, 04600 };
	struct error err = ERROR_INIT;

	box_ok(host_file_create(host(), "/own", slice_of("x", 1), 0600, -1, &err));
	box_ok(read_as("/own", HOST_READ_OWN, &err));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert(eq(int, chmod(box_path("/own"), bad[i]), 0));
		refuses("/own", HOST_READ_OWN, "may have been altered");
	}
	cr_assert(eq(int, chmod(box_path("/own"), 0600), 0));
	cr_assert(eq(int, chown(box_path("/own"), 1, 0), 0));
	refuses("/own", HOST_READ_OWN, "owner 1, mode 0600");
}

Test(host_file, that_is_too_large_is_refused)
{
	make_conf();
	cr_assert(eq(int, truncate(box_path(CONF), (off_t)HOST_FILE_MAX + 1), 0));
	refuses(CONF, HOST_READ_ANY, "larger than 64 MiB");
}

/* ---- the root */

Test(host_file, stays_below_the_root)
{
	struct error err = ERROR_INIT;

	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	/* beside the box there is one of the same name, which must never be seen */
	cr_assert(eq(int, mkdir("/run/outside", 0755), 0));
	cr_assert(eq(int, symlink("/run/outside", box_path("/absolute")), 0));
	cr_assert(eq(int, symlink("../../../../run/outside", box_path("/relative")), 0));
	cr_assert(eq(int, symlink("/proc/self/root/run/outside", box_path("/magic")), 0));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const ways[] = { "/absolute/f", "/relative/f", "/magic/f" };

		cr_expect(eq(int, host_file_create(host(), ways[i], slice_of("x", 1), 0600, -1,
						   &err), -1),
			  "%s", ways[i]);
		cr_expect(eq(int, host_dir_create(host(), ways[i], false, &err), -1), "%s", ways[i]);
		cr_expect(not(host_file_exists(host(), ways[i])), "%s", ways[i]);
	}
	cr_expect(ne(int, access("/run/outside/f", F_OK), 0));
	/* the same paths lead to folders of the box, once these are there */
	box_mkdir("/run", 0755);
	box_mkdir("/run/outside", 0755);
	box_mkdir("/outside", 0755);
	box_ok(host_file_create(host(), "/absolute/f", slice_of("x", 1), 0600, -1, &err));
	box_ok(host_file_create(host(), "/relative/g", slice_of("x", 1), 0600, -1, &err));
	box_ok(host_file_create(host(), "/../outside/f", slice_of("x", 1), 0600, -1, &err));
	box_str(box_names("/run/outside"), " f g");
	box_str(box_names("/outside"), " f");
	cr_expect(ne(int, access("/run/outside/f", F_OK), 0));
	box_fails(read_as("/absolute", HOST_READ_TARGET, &err), ERROR_REFUSED,
		  "is a symbolic link to /run/outside");
}

Test(host_file, needs_a_root_that_is_a_folder)
{
	struct host h = HOST_INIT;
	struct error err = ERROR_INIT;

	make_conf();
	box_fails(host_init(&h, box_path("/none"), NULL, NULL, &err), ERROR_REFUSED,
		  "can't be used as the root folder");
	box_fails(host_init(&h, box_path(CONF), NULL, NULL, &err), ERROR_REFUSED, "Not a directory");
	host_release(&h);
	box_ok(host_init(&h, "/", NULL, NULL, &err));
	cr_expect(host_is_live(&h));
	cr_expect(not(host_is_live(host())));
	host_release(&h);
}

static char *canonical(const struct host *h, const char *path)
{
	struct error err = ERROR_INIT;
	char *real = host_canonical(h, path, &err);

	cr_assert(real != NULL, "%s: %s", path, err.message);
	return real;
}

Test(host_file, has_one_name_whatever_links_lead_to_its_folder)
{
	static const char *const ways[] = { "/etc/conf", "/absolute/conf", "/relative/conf",
					    "/deep/er/conf" };
	struct host via = HOST_INIT;
	struct error err = ERROR_INIT;

	make_conf();
	box_mkdir("/deep", 0755);
	cr_assert(eq(int, symlink("/etc", box_path("/absolute")), 0));
	cr_assert(eq(int, symlink("etc", box_path("/relative")), 0));
	cr_assert(eq(int, symlink("../relative", box_path("/deep/er")), 0));
	/* the image itself may be reached through a link, shorter or longer than its path */
	cr_assert(eq(int, symlink("..", box_path("/etc/a-link-to-the-box-itself")), 0));
	box_ok(host_init(&via, box_path("/etc/a-link-to-the-box-itself"), NULL, NULL, &err));
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_free_ char *direct = canonical(host(), ways[i]);
		_cleanup_free_ char *indirect = canonical(&via, ways[i]);

		box_str(direct, CONF, "%s", ways[i]);
		box_str(indirect, CONF, "%s", ways[i]);
	}
	host_release(&via);
	{
		_cleanup_free_ char *missing = canonical(host(), "/no/such/conf");
		_cleanup_free_ char *top = canonical(host(), "/conf");

		box_str(missing, "/no/such/conf");
		box_str(top, "/conf");
	}
}

/* ---- writing */

Test(host_file, is_made_root_s_alone_and_new)
{
	struct error err = ERROR_INIT;
	struct stat st;

	(void)umask(0);
	box_ok(host_file_create(host(), "/new", slice_of("bytes", 5), 0600, 1234567890000000007,
				&err));
	box_str(box_text("/new"), "bytes");
	cr_assert(eq(int, stat(box_path("/new"), &st), 0));
	cr_expect(eq(uint, st.st_mode & 07777, 0600));
	cr_expect(eq(i64, timespec_ns(st.st_mtim), 1234567890000000007));
	box_fails(host_file_create(host(), "/new", slice_of("other", 5), 0600, -1, &err), ERROR_FAILED,
		  "File exists");
	box_str(box_text("/new"), "bytes");
	cr_assert(eq(int, symlink("victim", box_path("/link")), 0));
	cr_expect(eq(int, host_file_create(host(), "/link", slice_of("x", 1), 0600, -1, &err), -1));
	cr_expect(not(host_file_exists(host(), "/victim")));
}

Test(host_file, is_made_with_the_mode_that_is_asked_for)
{
	static const mode_t modes[] = { 0600, 0644, 0755, 0400, 0440 }, masks[] = { 0, 077, 0777 };
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(modes) * ARRAY_SIZE(masks); i++) {
		mode_t mode = modes[i / 3];

		(void)umask(masks[i % 3]);
		box_ok(host_file_create(host(), "/f", slice_of("x", 1), mode, -1, &err));
		cr_expect(eq(uint, box_mode("/f"), mode), "umask %03o", (unsigned)masks[i % 3]);
		box_ok(host_file_unlink(host(), "/f", &err));
	}
	/* one that never got its mode must not stay */
	fault_arm(&box()->fault, FAULT_ERROR, 1, EPERM);
	box()->fault.only = FAULT_CHMOD;
	box_fails(host_file_create(host(), "/f", slice_of("x", 1), 0644, -1, &err), ERROR_FAILED,
		  "setting the mode");
	cr_expect(fault_disarm(&box()->fault));
	cr_expect(not(host_file_exists(host(), "/f")));
}

static void dress(const char *path)
{
	const char *full = box_path(path);

	cr_assert(eq(int, chmod(full, 0640), 0));
	cr_assert(eq(int, chown(full, 0, 12), 0));
}

Test(host_file, is_staged_with_owner_mode_and_time_of_another)
{
	static const mode_t modes[] = { 0600, 0640, 0644, 0444, 0, 04755, 02750, 01777 };
	struct error err = ERROR_INIT;

	(void)umask(077);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct stat st;

		make_conf();
		cr_assert(eq(int, chown(box_path(CONF), 34, 12), 0));
		cr_assert(eq(int, chmod(box_path(CONF), modes[i]), 0));
		box_ok(host_file_stage(host(), "/etc/.new", CONF, slice_of("new", 3), 86400000000007,
				       &err));
		cr_assert(eq(int, stat(box_path("/etc/.new"), &st), 0));
		cr_expect(eq(uint, st.st_mode & 07777, modes[i]), "mode %04o", (unsigned)modes[i]);
		cr_expect(eq(uint, st.st_uid, 34));
		cr_expect(eq(uint, st.st_gid, 12));
		cr_expect(eq(i64, timespec_ns(st.st_mtim), 86400000000007));
		box_str(box_text("/etc/.new"), "new");
		box_ok(host_file_unlink(host(), "/etc/.new", &err));
		cr_assert(eq(int, unlink(box_path(CONF)), 0));
	}
}

/* The one entry that chmod can't say: user 34 may read (acl(5), linux/posix_acl_xattr.h). */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* owner rw */
	0x02, 0, 4, 0, 34, 0, 0, 0,            /* user 34 r */
	0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* group - */
	0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* mask r */
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* others - */
};

Test(host_file, is_staged_with_the_acl_of_another)
{
	struct error err = ERROR_INIT;
	char *old, *new;

	make_conf();
	dress(CONF);
	if (setxattr(box_path(CONF), "system.posix_acl_access", acl, sizeof(acl), 0) < 0)
		cr_skip_test("no ACLs on this filesystem");
	box_ok(host_file_stage(host(), "/etc/.new", CONF, slice_of(OLD, strlen(OLD)),
			       1000000000, &err));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(CONF),
				    (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0), 0));
	old = box_look(CONF);
	new = box_look("/etc/.new");
	cr_assert(strstr(old, "system.posix_acl_access") != NULL, "%s", old);
	box_str(new, old);
	free(old);
	free(new);
}

Test(host_file, is_staged_with_the_attributes_of_another)
{
	_cleanup_host_file_ struct host_file a = HOST_FILE_INIT, b = HOST_FILE_INIT;
	struct error err = ERROR_INIT;
	char *new;

	make_conf();
	dress(CONF);
	if (setxattr(box_path(CONF), "user.note", "a\0b", 3, 0) < 0)
		cr_skip_test("no user attributes on this filesystem");
	cr_assert(eq(int, setxattr(box_path(CONF), "trusted.note", "t", 1, 0), 0));
	box_ok(host_file_stage(host(), "/etc/.new", CONF, slice_of("n", 1), -1, &err));
	new = box_look("/etc/.new");
	cr_expect(strstr(new, "user.note=610062") != NULL, "%s", new);
	cr_expect(strstr(new, "trusted.note=74") != NULL, "%s", new);
	free(new);
	/* and the digest of the attributes sees each of them */
	box_ok(host_file_read(host(), CONF, HOST_READ_TARGET, &a, &err));
	box_ok(host_file_read(host(), "/etc/.new", HOST_READ_TARGET, &b, &err));
	cr_expect(host_meta_equal(&a.meta, &b.meta));
	host_file_release(&b);
	cr_assert(eq(int, setxattr(box_path("/etc/.new"), "user.note", "a\0c", 3, 0), 0));
	box_ok(host_file_read(host(), "/etc/.new", HOST_READ_TARGET, &b, &err));
	cr_expect(not(host_meta_equal(&a.meta, &b.meta)));
	host_file_release(&b);
	cr_assert(eq(int, removexattr(box_path("/etc/.new"), "user.note"), 0));
	box_ok(host_file_read(host(), "/etc/.new", HOST_READ_TARGET, &b, &err));
	cr_expect(not(host_meta_equal(&a.meta, &b.meta)));
}

Test(host_file, is_removed)
{
	struct error err = ERROR_INIT;

	make_conf();
	box_ok(host_file_unlink(host(), CONF, &err));
	box_ok(host_file_unlink(host(), CONF, &err));
	box_ok(host_file_unlink(host(), "/no/such", &err));
	box_ok(host_file_unlink_lazily(host(), CONF, &err));
	box_str(box_names("/etc"), "");
}

/* ---- what goes wrong */

static int stage(struct error *err)
{
	return host_file_stage(host(), "/etc/.new", CONF, slice_of("new\n", 4), 5000000000, err);
}

Test(host_file, that_could_not_be_made_whole_is_not_left)
{
	static const int errors[] = { EIO, ENOSPC, EROFS, EDQUOT, EMFILE, ENOMEM };

	make_conf();
	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			int r;

			fault_arm(&box()->fault, FAULT_ERROR, n, errors[e]);
			r = stage(&err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0));
				cr_expect(gt(uint, n, 6u));
				break;
			}
			cr_expect(eq(int, r, -1), "call %u, %s", n, box()->fault.last);
			cr_expect(eq(int, err.sys_errno, errors[e]), "call %u, %s: %s", n,
				  box()->fault.last, err.message);
			box_str(box_names("/etc"), " conf", "call %u, %s", n, box()->fault.last);
		}
		cr_assert(eq(int, unlink(box_path("/etc/.new")), 0));
	}
}

Test(host_file, is_the_same_when_every_call_is_interrupted)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error err = ERROR_INIT;

	make_conf();
	fault_arm(&box()->fault, FAULT_INTERRUPT, 0, 0);
	box_ok(host_file_read(host(), CONF, HOST_READ_TARGET, &f, &err));
	box_ok(stage(&err));
	box_ok(host_file_create(host(), "/etc/x", slice_of("x", 1), 0600, -1, &err));
	box_ok(host_file_unlink(host(), "/etc/x", &err));
	box_ok(host_dir_create(host(), "/a/b/c", true, &err));
	box_ok(host_dir_remove(host(), "/a/b/c", &err));
	cr_expect(gt(uint, box()->fault.hits, 20u), "%u were", box()->fault.hits);
	cr_expect(fault_disarm(&box()->fault));
	box_str(f.bytes.data, OLD);
	box_str(box_text("/etc/.new"), "new\n");
	box_str(box_names("/etc"), " .new conf");
}

Test(host_file, is_the_same_when_every_call_is_short)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error err = ERROR_INIT;

	make_conf();
	fault_arm(&box()->fault, FAULT_ONE_BYTE, 0, 0);
	box_ok(host_file_read(host(), CONF, HOST_READ_TARGET, &f, &err));
	box_ok(stage(&err));
	(void)fault_disarm(&box()->fault);
	box_str(f.bytes.data, OLD);
	box_str(box_text("/etc/.new"), "new\n");
}

/* A failed fsync lost the pages: asking again would say yes to what is not there (reliability
 * 12). So there is no second one for the same file. */
Test(host_file, is_not_made_durable_by_asking_twice)
{
	struct error err = ERROR_INIT;

	make_conf();
	fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
	box()->fault.only = FAULT_FSYNC;
	cr_expect(eq(int, host_file_create(host(), "/etc/x", slice_of("x", 1), 0600, -1, &err), -1));
	cr_expect(eq(uint, box()->fault.calls, 1u));
	cr_expect(fault_disarm(&box()->fault));
	box_str(box_names("/etc"), " conf");
}

static int write_at_once(void)
{
	struct error err = ERROR_INIT;
	int fd = host_open(host(), "/w", O_WRONLY | O_CREAT, 0600);
	int r = host_write_all(host(), fd, slice_of("0123456789", 10), &err);

	(void)close(fd);
	return r;
}

Test(host_file, is_written_to_its_last_byte)
{
	fault_arm(&box()->fault, FAULT_ONE_BYTE, 0, 0);
	cr_expect(eq(int, write_at_once(), 0));
	(void)fault_disarm(&box()->fault);
	box_str(box_text("/w"), "0123456789");
}

Test(host_file, that_is_gone_with_its_folder_is_unlinked_already)
{
	struct error err = ERROR_INIT;

	box_ok(host_file_unlink(host(), "/none/such/f", &err));
	box_ok(host_file_unlink_lazily(host(), "/none/such/f", &err));
	box_write("/plain", "");
	box_ok(host_file_unlink(host(), "/plain/f", &err));
	/* what can't be looked at is not gone */
	box_mkdir("/d", 0755);
	fault_arm(&box()->fault, FAULT_ERROR_ON, 1, EIO);
	box_fails(host_file_unlink(host(), "/d/f", &err), ERROR_FAILED, "/d");
	cr_expect(fault_disarm(&box()->fault));
}

static void try_locked(void *ctx)
{
	_exit(host_file_is_locked(host(), ctx) ? 1 : 0);
}

Test(host_file, is_locked_while_somebody_holds_it)
{
	int fd;

	box_write("/f", "");
	cr_expect(not(host_file_is_locked(host(), "/f")));
	cr_expect(not(host_file_is_locked(host(), "/none")));
	cr_expect(not(host_file_is_locked(host(), "/none/f")));
	fd = open(box_path("/f"), O_RDONLY | O_CLOEXEC);
	cr_assert(eq(int, flock(fd, LOCK_EX), 0));
	cr_expect(host_file_is_locked(host(), "/f"));
	cr_expect(eq(int, box_fork(try_locked, (void *)"/f"), 1));
	fault_arm(&box()->fault, FAULT_INTERRUPT, 0, 0);
	cr_expect(host_file_is_locked(host(), "/f"));
	(void)fault_disarm(&box()->fault);
	/* no link leads there */
	cr_assert(eq(int, symlink("f", box_path("/link")), 0));
	cr_expect(not(host_file_is_locked(host(), "/link")));
	/* asking is not holding: who locked it can be the next one too */
	cr_assert(eq(int, flock(fd, LOCK_UN), 0));
	cr_expect(not(host_file_is_locked(host(), "/f")));
	cr_expect(eq(int, flock(fd, LOCK_EX | LOCK_NB), 0));
	(void)close(fd);
	cr_expect(not(host_file_is_locked(host(), "/f")));
}
