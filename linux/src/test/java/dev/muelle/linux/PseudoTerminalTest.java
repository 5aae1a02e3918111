package dev.muelle.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class PseudoTerminalTest {

  /** A shell that can be interrupted, also if these tests run in a background that cannot. */
  private static Process shell(PseudoTerminal terminal, String script) throws Exception {
    return new ProcessBuilder(
            "setsid",
            "env",
            "--default-signal",
            "/bin/sh",
            "-c",
            "exec /bin/sh -c \"$1\" <>" + terminal.path() + " >&0 2>&1",
            "sh",
            script)
        .redirectInput(Redirect.from(new java.io.File("/dev/null")))
        .redirectOutput(Redirect.DISCARD)
        .redirectError(Redirect.DISCARD)
        .start();
  }

  private static String readAll(PseudoTerminal terminal) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] buffer = new byte[64];
    for (int read = terminal.read(buffer); read >= 0; read = terminal.read(buffer)) {
      all.write(buffer, 0, read);
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  @Test
  void whatIsTypedIsReadAndWhatIsPrintedIsSeen() throws Exception {
    try (PseudoTerminal terminal = PseudoTerminal.open()) {
      terminal.resize(123, 45);
      Process process = shell(terminal, "tty; stty size; read line; echo got $line; exit 3");
      terminal.write("hola\n".getBytes(StandardCharsets.UTF_8));
      String seen = readAll(terminal);
      assertTrue(seen.contains(terminal.path() + "\r\n"), seen);
      assertTrue(seen.contains("45 123\r\n"), seen);
      assertTrue(seen.contains("got hola\r\n"), seen);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
      assertEquals(3, process.exitValue());
      terminal.write("nobody reads this".getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void aProgramIsToldOfANewSizeAndOfAnInterrupt() throws Exception {
    try (PseudoTerminal terminal = PseudoTerminal.open()) {
      Process process =
          shell(
              terminal,
              "trap 'echo size' WINCH; trap 'echo interrupted; exit 5' INT; echo ready;"
                  + " while :; do sleep 0.05; done");
      StringBuilder seen = new StringBuilder();
      byte[] buffer = new byte[64];
      boolean resized = false;
      boolean interrupted = false;
      for (int read = terminal.read(buffer); read >= 0; read = terminal.read(buffer)) {
        seen.append(new String(buffer, 0, read, StandardCharsets.UTF_8));
        if (!resized && seen.indexOf("ready") >= 0) {
          resized = true;
          terminal.resize(80, 24);
        }
        if (!interrupted && seen.indexOf("size") >= 0) {
          interrupted = true;
          terminal.write(new byte[] {3}); // Ctrl-C
        }
      }
      assertTrue(seen.indexOf("interrupted") >= 0, seen::toString);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
      assertEquals(5, process.exitValue());
    }
  }

  @Test
  void rawItLetsEverythingThrough() throws Exception {
    try (PseudoTerminal terminal = PseudoTerminal.open().raw()) {
      byte[] all = new byte[256];
      for (int i = 0; i < all.length; i++) {
        all[i] = (byte) i;
      }
      Process process = shell(terminal, "head -c 256 | od -An -v -tx1 | tr -d ' \\n'");
      terminal.write(all);
      assertEquals(java.util.HexFormat.of().formatHex(all), readAll(terminal), "and no echo");
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void itIsGoneWhenItIsClosed() {
    PseudoTerminal terminal = PseudoTerminal.open();
    terminal.close();
    terminal.close();
    terminal.resize(1, 1);
    terminal.write(new byte[] {1});
    assertFalse(Files.exists(terminal.path()));
  }
}
