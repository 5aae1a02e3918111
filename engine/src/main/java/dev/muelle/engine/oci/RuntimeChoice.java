package dev.muelle.engine.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * Which OCI runtime starts containers: crun, the quicker one, else runc. crun refuses machines that
 * mount v1 controllers and a v2 hierarchy side by side; there it needs a mount namespace that does
 * not show the latter, which {@link Launcher} gives it anyway.
 *
 * @param program itself
 * @param anywhere what also runs where everything is mounted
 * @param waits whether a created container waits for a byte in a pipe, as crun's do
 */
record RuntimeChoice(Path program, Path anywhere, boolean waits) {

  private static final Path CRUN = Path.of("/usr/bin/crun");
  private static final Path RUNC = Path.of("/usr/sbin/runc");

  static RuntimeChoice choose(Cgroups.Version version, Path directory) throws IOException {
    if (!Files.isExecutable(CRUN)) {
      return Optional.of(RUNC)
          .filter(Files::isExecutable)
          .map(runc -> new RuntimeChoice(runc, runc, false))
          .orElseThrow(() -> new IOException("neither crun nor runc is installed"));
    }
    Optional<Path> unified = version.besideV1();
    return new RuntimeChoice(
        CRUN, unified.isEmpty() ? CRUN : wrapped(unified.get(), directory), true);
  }

  private static Path wrapped(Path unified, Path directory) throws IOException {
    Path script = directory.resolve("crun-v1");
    Layout.write(
        script,
        ("#!/bin/sh\nexec unshare -m --propagation slave /bin/sh -c 'umount "
                + unified
                + "; exec "
                + CRUN
                + " \"$@\"' crun \"$@\"\n")
            .getBytes(java.nio.charset.StandardCharsets.UTF_8));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    return script;
  }
}
