package dev.muelle.engine.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * Which OCI runtime starts containers: crun, the quicker one, else runc. crun refuses machines that
 * mount v1 controllers and a v2 hierarchy side by side; there it runs in a mount namespace that
 * does not show the latter.
 */
final class RuntimeChoice {

  private static final Path CRUN = Path.of("/usr/bin/crun");
  private static final Path RUNC = Path.of("/usr/sbin/runc");

  private RuntimeChoice() {}

  static Path choose(Cgroups.Version version, Path directory) throws IOException {
    if (!Files.isExecutable(CRUN)) {
      return Optional.of(RUNC)
          .filter(Files::isExecutable)
          .orElseThrow(() -> new IOException("neither crun nor runc is installed"));
    }
    return switch (version) {
      case Cgroups.Version.V2(Path root) -> CRUN;
      case Cgroups.Version.V1(var hierarchies) -> {
        Path unified = hierarchies.get("unified");
        yield unified == null ? CRUN : wrapped(unified, directory);
      }
    };
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
