package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Action;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The suite that others measure themselves by. Its authors offer a program for each kind of machine
 * and an artifact that brings some of them.
 *
 * @see <a href="https://github.com/summerwind/h2spec">h2spec</a>
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
final class H2specTest {

  @TempDir Path directory;

  @Test
  void allOfItPasses() throws Exception {
    try (Rig rig = new Rig()) {
      Backend backend =
          rig.backend((head, in, out) -> {
            Backend.body(head, in);
            out.write(Backend.answer(200, "some bytes"));
            return true;
          });
      rig.secure(Certified.http2(Certified.ec("localhost")), new Action.Forward("tg"), backend);
      Path output = directory.resolve("output");
      Process suite =
          new ProcessBuilder(
                  unpacked().toString(),
                  "--tls",
                  "--insecure",
                  "--strict",
                  "--timeout=20", // of a busy machine
                  "--port=" + rig.port)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      int code = suite.waitFor();
      String said = Files.readString(output, StandardCharsets.UTF_8);
      assertEquals(0, code, said);
      assertTrue(said.contains("146 tests, 146 passed, 0 skipped, 0 failed"), said);
    }
  }

  private Path unpacked() throws Exception {
    try (InputStream packed =
        H2specTest.class.getResourceAsStream("/h2spec/2.1.1/h2spec_linux_amd64.tar.gz")) {
      assertNotNull(packed);
      Process tar = new ProcessBuilder("tar", "xz", "-C", directory.toString()).start();
      try (var in = tar.getOutputStream()) {
        packed.transferTo(in);
      }
      assertEquals(0, tar.waitFor());
    }
    return directory.resolve("h2spec");
  }
}
