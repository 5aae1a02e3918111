package dev.muelle.linux;

/** A system call failed. */
public final class LinuxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** No such file or directory. */
  public static final int ENOENT = 2;

  /** No such process; of a route: there is none. */
  public static final int ESRCH = 3;

  /** Input or output failed; of a terminal: nobody is on its other side. */
  public static final int EIO = 5;

  /** There is one already. */
  public static final int EEXIST = 17;

  /** No such device. */
  public static final int ENODEV = 19;

  /** Invalid argument; from umount2: not a mount point. */
  public static final int EINVAL = 22;

  /** The disk is full. */
  public static final int ENOSPC = 28;

  /** Not supported, by this file system for example. */
  public static final int EOPNOTSUPP = 95;

  /** No such family of addresses in this kernel. */
  public static final int EAFNOSUPPORT = 97;

  private final int errno;

  LinuxException(String what, int errno, String reason) {
    super(what + ": " + reason + " (errno " + errno + ")");
    this.errno = errno;
  }

  /** The kernel's error number, as in errno(3). */
  public int errno() {
    return errno;
  }
}
