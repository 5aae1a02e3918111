package dev.muelle.engine.oci;

import dev.muelle.engine.Engine.Watch;
import dev.muelle.loop.Timers;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees what monitors write, by watching two directories, however many containers there are. A look
 * at everything every few seconds finds what no notice tells: a monitor that was itself killed.
 */
final class Watching implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Watching.class);
  private static final Duration LOOK = Duration.ofSeconds(5);

  private final Layout layout;
  private final Containers containers;
  private final Timers timers;
  private final WatchService service;
  private final List<Consumer<String>> listeners = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  Watching(Layout layout, Containers containers, Timers timers) throws IOException {
    this.layout = layout;
    this.containers = containers;
    this.timers = timers;
    this.service = FileSystems.getDefault().newWatchService();
    layout.exits().register(service, StandardWatchEventKinds.ENTRY_CREATE);
    layout.logs().register(service, StandardWatchEventKinds.ENTRY_MODIFY);
    containers.onExit(this::tell);
    Thread.ofPlatform().daemon().name("containers").start(this::run);
    containers.lookAtAll();
    timers.after(LOOK, this::look);
  }

  Watch add(Consumer<String> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  private void look() {
    if (!closed) {
      containers.lookAtAll();
      timers.after(LOOK, this::look);
    }
  }

  private void run() {
    try {
      while (true) {
        WatchKey key = service.take();
        boolean exits = layout.exits().equals(key.watchable());
        for (WatchEvent<?> event : key.pollEvents()) {
          if (event.kind().equals(StandardWatchEventKinds.OVERFLOW)) {
            containers.lookAtAll();
            containers.ids().forEach(this::tell);
          } else if (event.context() instanceof Path path) {
            seen(path.toString(), exits);
          }
        }
        key.reset();
      }
    } catch (InterruptedException | ClosedWatchServiceException e) {
      LOG.debug("watching ends");
    }
  }

  /** What fails now is looked at again in a few seconds. */
  private void seen(String id, boolean exited) {
    try {
      if (exited) {
        containers.look(id);
      } else {
        containers.written(id);
        tell(id);
      }
    } catch (RuntimeException e) {
      LOG.warn("looking at container {}", id, e);
    }
  }

  private void tell(String id) {
    for (Consumer<String> listener : listeners) {
      try {
        listener.accept(id);
      } catch (RuntimeException e) {
        LOG.error("a listener failed for container {}", id, e);
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      service.close();
    } catch (IOException e) {
      LOG.warn("closing the watch", e);
    }
  }
}
