package dev.muelle.balancer.messages;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Somebody else's parser of requests: llhttp, in a process of Node.js. */
final class Llhttp implements AutoCloseable {

  /**
   * What it makes of a connection's bytes.
   *
   * @param end an error's name; {@code over} if no request may follow, {@code within} a body,
   *     {@code between} requests
   * @param messages each request's target, fields and body in hex
   */
  record Reading(String end, List<String> messages) {
    boolean failed() {
      return end.startsWith("HPE_");
    }
  }

  private final Path script;
  private final Process node;
  private final DataOutputStream out;
  private final BufferedReader in;

  Llhttp() throws IOException {
    script = Files.createTempFile("llhttp", ".js");
    try (InputStream source =
        Objects.requireNonNull(Llhttp.class.getResourceAsStream("llhttp.js"))) {
      Files.write(script, source.readAllBytes());
    }
    node =
        new ProcessBuilder("node", "--no-deprecation", script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    out = new DataOutputStream(new BufferedOutputStream(node.getOutputStream(), 1 << 16));
    in =
        new BufferedReader(new InputStreamReader(node.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** Reads many, each as a connection of its own. */
  List<Reading> read(List<byte[]> connections) throws IOException {
    Thread writer = Thread.ofVirtual().start(() -> write(connections));
    List<Reading> readings = new ArrayList<>(connections.size());
    for (int i = 0; i < connections.size(); i++) {
      List<String> parts =
          List.of(Objects.requireNonNull(in.readLine(), "node ended").split("\t", -1));
      readings.add(new Reading(parts.getFirst(), parts.subList(1, parts.size())));
    }
    try {
      writer.join();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return readings;
  }

  private void write(List<byte[]> connections) {
    try {
      for (byte[] bytes : connections) {
        out.writeInt(bytes.length);
        out.write(bytes);
      }
      out.flush();
    } catch (IOException e) {
      node.destroy(); // the reader sees it
    }
  }

  @Override
  public void close() throws IOException {
    out.close();
    node.destroy();
    Files.delete(script);
  }
}
