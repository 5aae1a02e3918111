package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.RootedFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what containers print into files of their machine, as Docker's {@code json-file} driver
 * does, each line once: how long the file was is noted with how much of the output is in it, and
 * what a crash left beyond that is cut off and written anew.
 *
 * <p>Other containers may have mounted the directory. Nothing is done there but through a
 * descriptor of it that was looked up inside the machine's root, and no link in it is followed.
 */
final class JsonFiles {

  private static final Logger LOG = LoggerFactory.getLogger(JsonFiles.class);
  private static final String DIRECTORY = "/var/lib/docker/containers/";
  private static final int BATCH = 1_000;
  private static final int PIECE = 16 * 1024; // of a line, as Docker's

  private final Layout layout;
  private final Reading reading;
  private final ObjectMapper json;
  private final Map<String, State> states = new ConcurrentHashMap<>();

  /** The other end of the output. */
  interface Reading {
    /** Whether nothing more will come. */
    boolean complete(String id);

    void release(String id, long offset) throws IOException;
  }

  JsonFiles(Layout layout, Reading reading, ObjectMapper json) {
    this.layout = layout;
    this.reading = reading;
    this.json = json;
  }

  /**
   * How far a container's output was written down.
   *
   * @param length of the file then
   */
  private record Note(String root, long maxSize, int maxFiles, long position, long length) {

    Note at(long newPosition, long newLength) {
      return new Note(root, maxSize, maxFiles, newPosition, newLength);
    }
  }

  private static final class State {
    final AtomicInteger wanted = new AtomicInteger();
    Note note;
    boolean removed;

    State(Note note) {
      this.note = note;
    }
  }

  /** A container is about to start. */
  void begin(ContainerSpec spec, SandboxSpec sandbox) throws IOException {
    ContainerSpec.JsonFile file = spec.jsonFile();
    if (file == null) {
      return;
    }
    Path root = layout.machineRoot(Sandboxes.machine(sandbox).id());
    Note note = new Note(root.toString(), file.maxSize(), file.maxFiles(), 0, 0);
    Layout.write(layout.jsonFileNote(spec.id()), json.writeValueAsBytes(note)); // to be removed
    try (RootedFile directory = directory(note, spec.id());
        FileChannel made = open(directory, spec.id())) {
      made.truncate(0);
    }
    states.put(spec.id(), new State(note));
  }

  /** A container of an earlier server. */
  void adopt(String id) throws IOException {
    read(id);
    wake(id);
  }

  private void read(String id) throws IOException {
    if (!states.containsKey(id)) {
      Layout.read(json, layout.jsonFileNote(id), Note.class)
          .ifPresent(note -> states.put(id, new State(note)));
    }
  }

  /** There may be more to write. */
  void wake(String id) {
    State state = states.get(id);
    if (state != null && state.wanted.getAndIncrement() == 0) {
      Thread.startVirtualThread(() -> {
        int seen;
        do {
          seen = state.wanted.get();
          try {
            write(id, state);
          } catch (IOException | RuntimeException e) {
            LOG.warn("the output of {} cannot be written down now", id, e);
          }
        } while (!state.wanted.compareAndSet(seen, 0));
      });
    }
  }

  private void write(String id, State state) throws IOException {
    synchronized (state) {
      while (!state.removed) {
        boolean complete = reading.complete(id); // asked before reading
        List<LogLine> lines =
            Output.read(layout.log(id), state.note.position(), BATCH, Integer.MAX_VALUE, complete)
                .list();
        if (lines.isEmpty()) {
          return;
        }
        try (RootedFile directory = directory(state.note, id)) {
          for (int next = 0; next < lines.size(); ) {
            next = write(directory, id, state, lines, next);
          }
        }
        reading.release(id, Output.offset(state.note.position()));
      }
    }
  }

  /** Writes as many lines as go into the file; gives how many are written then. */
  private int write(RootedFile directory, String id, State state, List<LogLine> lines, int from)
      throws IOException {
    Note note = state.note;
    if (full(note, note.length())) {
      rotate(directory, id, note);
      note = note.at(note.position(), 0);
    }
    int next = from;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    do {
      encode(lines.get(next++), bytes);
    } while (next < lines.size() && !full(note, note.length() + bytes.size()));
    try (FileChannel file = open(directory, id)) {
      long begin = Math.min(note.length(), file.size()); // somebody may have cut it
      file.truncate(begin);
      file.position(begin);
      ByteBuffer rest = ByteBuffer.wrap(bytes.toByteArray());
      while (rest.hasRemaining()) {
        file.write(rest);
      }
      state.note = note.at(lines.get(next - 1).position(), begin + bytes.size());
    }
    Layout.write(layout.jsonFileNote(id), json.writeValueAsBytes(state.note));
    return next;
  }

  private static boolean full(Note note, long length) {
    return note.maxSize() > 0 && length >= note.maxSize();
  }

  private void encode(LogLine line, ByteArrayOutputStream into) throws IOException {
    String text = line.text() + "\n";
    String time = Instant.ofEpochMilli(line.epochMillis()).toString();
    for (int begin = 0; begin < text.length(); begin += PIECE) {
      ObjectNode entry = json.createObjectNode();
      entry.put("log", text.substring(begin, Math.min(text.length(), begin + PIECE)));
      entry.put("stream", line.stderr() ? "stderr" : "stdout");
      entry.put("time", time);
      into.write(json.writeValueAsBytes(entry));
      into.write('\n');
    }
  }

  private static RootedFile directory(Note note, String id) throws IOException {
    return RootedFile.openOrMakeDirectory(Path.of(note.root()), DIRECTORY + id);
  }

  private static String name(String id, int number) {
    return id + "-json.log" + (number == 0 ? "" : "." + number);
  }

  private static FileChannel open(RootedFile directory, String id) throws IOException {
    Path file = directory.path().resolve(name(id, 0));
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(name(id, 0) + " is no file any more");
    }
    // To read, too: should it be a pipe by now, that does not wait for somebody who reads it.
    return FileChannel.open(
        file,
        StandardOpenOption.CREATE,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE,
        LinkOption.NOFOLLOW_LINKS);
  }

  /** Repeatable: what is in its place already stays there. */
  private static void rotate(RootedFile directory, String id, Note note) throws IOException {
    if (!Files.exists(directory.path().resolve(name(id, 0)), LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    for (int number = note.maxFiles() - 1; number > 0; number--) {
      try {
        Files.move(
            directory.path().resolve(name(id, number - 1)),
            directory.path().resolve(name(id, number)),
            StandardCopyOption.REPLACE_EXISTING,
            StandardCopyOption.ATOMIC_MOVE);
      } catch (NoSuchFileException e) {
        // There were not so many yet.
      }
    }
  }

  void wakeAll() {
    states.keySet().forEach(this::wake);
  }

  /** A container is removed, and what it wrote goes. */
  void remove(String id) throws IOException {
    read(id);
    State state = states.remove(id);
    if (state == null) {
      return;
    }
    synchronized (state) {
      state.removed = true;
      Note note = state.note;
      Path root = Path.of(note.root());
      try (RootedFile all = RootedFile.open(root, DIRECTORY);
          RootedFile directory = RootedFile.open(root, DIRECTORY + id)) {
        for (int number = 0; number < note.maxFiles(); number++) {
          Files.deleteIfExists(directory.path().resolve(name(id, number)));
        }
        Files.deleteIfExists(all.path().resolve(id));
      } catch (LinuxException | DirectoryNotEmptyException e) {
        LOG.info("somebody else has changed the directory of {}'s output", id, e);
      }
    }
  }
}
