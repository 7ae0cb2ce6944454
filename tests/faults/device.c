/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "die.h"
#include "fixture.h"
#include "trace.h"

/* That of XFS; ext4 has taken it over. ioctl(2) */
#define CUT _IOR('X', 125, uint32_t)
#define WITHOUT_THE_LOG 2u

#define STAGE "/run/disk"
#define DEVICES 2
#define FOLDERS_MAX 2
#define ATTEMPTS 64
#define WAITS 5000 /* of 2 ms */

struct kind {
	const char *name, *mkfs;
	const char *const options[12];
	off_t size;
	const char *mount;
};

static const struct kind kinds[] = {
	/* what hides a missing fsync by default is off */
	{ "ext4", "/usr/sbin/mkfs.ext4",
	  { "-q", "-F", "-b", "1024", "-I", "256", "-J", "size=4", "-E",
	    "lazy_itable_init=0,lazy_journal_init=0,nodiscard" },
	  16 << 20, "data=writeback,noauto_da_alloc,commit=600" },
	/* the smallest that mkfs makes */
	{ "xfs", "/usr/sbin/mkfs.xfs", { "-q", "-f", "-K" }, 300 << 20, "" },
};

struct device {
	const struct kind *kind;
	char path[32], stage[32];
	const char *folders[FOLDERS_MAX + 1]; /* that are on it */
	int fd, stage_fd;
};

static struct device devices[DEVICES];

/* ---- The device */

static bool is_forbidden(void)
{
	return errno == EPERM || errno == EACCES;
}

static bool configure(struct device *d, int control, int memory)
{
	struct loop_config config = { .fd = (uint32_t)memory,
				      .info = { .lo_flags = LO_FLAGS_AUTOCLEAR } };
	int number = ioctl(control, LOOP_CTL_GET_FREE);

	if (number < 0)
		skip("a loop device is not to be had here");
	(void)snprintf(d->path, sizeof(d->path), "/dev/loop%d", number);
	d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	if (d->fd < 0)
		skip("%s is not to be had here", d->path);
	if (ioctl(d->fd, LOOP_CONFIGURE, &config) == 0)
		return true;
	/* somebody was faster */
	if (errno != EBUSY && is_forbidden())
		skip("loop devices are not allowed here");
	if (errno != EBUSY)
		die("%s", d->path);
	(void)close(d->fd);
	return false;
}

static void attach(struct device *d)
{
	int memory = memfd_create("disk", MFD_CLOEXEC);
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), i;

	if (control < 0)
		skip("there are no loop devices here");
	if (memory < 0 || ftruncate(memory, d->kind->size) < 0)
		die("memory for a disk");
	for (i = 0; i < ATTEMPTS && !configure(d, control, memory); i++)
		;
	if (i == ATTEMPTS)
		die("no free loop device");
	(void)close(memory);
	(void)close(control);
}

static void run(const char *const *argv)
{
	struct trace_outcome o;

	trace_run_plain((char *const *)argv, STDOUT_FILENO, &o);
	if (o.status != 0)
		die("%s", argv[0]);
}

static void format(const struct device *d)
{
	const char *argv[16] = { d->kind->mkfs };
	unsigned n = 1;

	if (access(argv[0], X_OK) < 0)
		die("%s is missing", argv[0]);
	for (unsigned i = 0; d->kind->options[i] != NULL; i++)
		argv[n++] = d->kind->options[i];
	argv[n] = d->path;
	run(argv);
}

/* ---- The filesystem */

static void pause_2ms(void)
{
	const struct timespec t = { .tv_nsec = 2000000 };

	(void)nanosleep(&t, NULL);
}

static void mount_stage(struct device *d)
{
	if (mount(d->path, d->stage, d->kind->name, MS_NOSUID | MS_NODEV | MS_NOATIME,
		  d->kind->mount) == 0)
		return;
	if (errno == ENODEV)
		skip("this kernel has no %s", d->kind->name);
	if (is_forbidden())
		skip("loop mounts are not allowed here");
	die("%s on %s", d->path, d->stage);
}

static void open_stage(struct device *d)
{
	d->stage_fd = open(d->stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->stage_fd < 0)
		die("%s", d->stage);
}

/* Below the stage: the folder's name without slashes. */
static void name_on_stage(const struct device *d, const char *folder, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s/", d->stage);
	for (size_t len = strlen(ret); *folder != '\0' && len < size - 1; folder++, len++) {
		ret[len] = *folder == '/' ? '-' : *folder;
		ret[len + 1] = '\0';
	}
}

static void bind_folders(const struct device *d)
{
	char there[100];

	for (unsigned i = 0; d->folders[i] != NULL; i++) {
		name_on_stage(d, d->folders[i], there, sizeof(there));
		if (mount(there, d->folders[i], NULL, MS_BIND, NULL) < 0)
			die("%s on %s", there, d->folders[i]);
	}
}

static void copy_folders(const struct device *d)
{
	char there[100];

	for (unsigned i = 0; d->folders[i] != NULL; i++) {
		const char *argv[] = { "/bin/cp", "-aT", d->folders[i], there, NULL };

		name_on_stage(d, d->folders[i], there, sizeof(there));
		run(argv);
	}
}

static void make(struct device *d)
{
	if (mkdir(d->stage, 0700) < 0)
		die("mkdir %s", d->stage);
	attach(d);
	format(d);
	mount_stage(d);
	copy_folders(d);
	bind_folders(d);
	open_stage(d);
}

static void choose_folders(bool services)
{
	devices[0].folders[0] = services ? "/etc" : "/etc/ssh";
	devices[0].folders[1] =
		!services && access("/etc/cron.d", F_OK) == 0 ? "/etc/cron.d" : NULL;
	devices[1].folders[0] = "/var/lib";
}

void device_take_over(const char *filesystem, bool services)
{
	const struct kind *kind = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, filesystem) == 0)
			kind = &kinds[i];
	if (kind == NULL || mkdir(STAGE, 0700) < 0)
		die("%s", filesystem);
	choose_folders(services);
	for (unsigned i = 0; i < DEVICES; i++) {
		devices[i].kind = kind;
		(void)snprintf(devices[i].stage, sizeof(devices[i].stage), STAGE "/%u", i);
		make(&devices[i]);
	}
	device_sync();
}

/* ---- The power */

void device_sync(void)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (syncfs(devices[i].stage_fd) < 0)
			die("syncfs");
}

void device_cut(void)
{
	uint32_t how = WITHOUT_THE_LOG;

	for (unsigned i = 0; i < DEVICES; i++)
		if (ioctl(devices[i].stage_fd, CUT, &how) < 0)
			die("shutting %s down", devices[i].kind->name);
}

/* What was killed a moment ago may still hold it. */
static void unmount(const char *path)
{
	for (int i = 0; umount2(path, UMOUNT_NOFOLLOW) < 0; i++) {
		if (errno != EBUSY || i == WAITS)
			die("unmounting %s", path);
		pause_2ms();
	}
}

/* A mount of a private namespace that is just ending may hold the filesystem that was shut down: then
 * it is that one that was mounted again. */
static bool is_alive(const struct device *d)
{
	char probe[64];
	int fd;

	(void)snprintf(probe, sizeof(probe), "%s/probe", d->stage);
	fd = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EIO)
		die("%s after a boot", d->stage);
	if (fd < 0)
		return false;
	(void)close(fd);
	(void)unlink(probe);
	return true;
}

static void boot(struct device *d)
{
	for (unsigned i = 0; d->folders[i] != NULL; i++)
		unmount(d->folders[i]);
	(void)close(d->stage_fd);
	for (int i = 0;; i++) {
		unmount(d->stage);
		mount_stage(d);
		if (is_alive(d))
			break;
		if (i == WAITS)
			die("%s is held by something", d->stage);
		pause_2ms();
	}
	bind_folders(d);
	open_stage(d);
}

void device_boot(void)
{
	for (unsigned i = 0; i < DEVICES; i++)
		boot(&devices[i]);
}
