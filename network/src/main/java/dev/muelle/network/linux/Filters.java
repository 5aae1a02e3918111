package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.FilterSocket;
import dev.muelle.linux.FilterSocket.Counted;
import dev.muelle.linux.FilterSocket.Element;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.NetworkNamespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Changes the packet filters of one VPC by scripts of nft(8). Those who come while a script is
 * being applied share the next process: so that a thousand interfaces at once do not cost a
 * thousand processes. Where only elements of sets change, there is no process at all: the kernel is
 * told directly.
 */
final class Filters implements AutoCloseable {

  private static final int MOST = 512; // elements in a message to the kernel; a socket's buffer

  private final NetworkNamespace namespace;
  private final Together<String> changes = new Together<>(scripts -> run(String.join("", scripts)));

  private @Nullable FilterSocket socket; // touched by one change at a time

  Filters(NetworkNamespace namespace) {
    this.namespace = namespace;
  }

  /**
   * Applies a script, whole or not at all.
   *
   * @throws RuntimeException if nft refuses it
   */
  void apply(String script) {
    if (!script.isEmpty()) {
      changes.serve(script);
    }
  }

  private void run(String script) {
    Optional<List<Element>> elements = Elements.read(script).filter(all -> all.size() <= MOST);
    if (elements.isEmpty() || !told(elements.get())) {
      Command.runWith(script, "nsenter", "--net=" + namespace.path(), "nft", "-f", "-");
    }
  }

  /**
   * What the kernel refuses nft may try once more: it has words for why, and knows older kernels.
   */
  private boolean told(List<Element> elements) {
    try {
      open().apply(Ruleset.NAME, elements);
      return true;
    } catch (LinuxException e) {
      return false;
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** What is in a set now. */
  List<Counted> elements(String set) {
    return asked(open -> open.elements(Ruleset.NAME, set));
  }

  /** The names of all sets and maps. */
  List<String> sets() {
    return asked(open -> open.sets(Ruleset.NAME));
  }

  private <T> List<T> asked(Function<FilterSocket, List<T>> question) {
    List<T> answer = new ArrayList<>();
    changes.alone(() -> {
      try {
        answer.addAll(question.apply(open()));
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    return answer;
  }

  private FilterSocket open() throws Exception {
    FilterSocket present = socket;
    if (present == null) {
      present = namespace.call(FilterSocket::open);
      socket = present;
    }
    return present;
  }

  @Override
  public void close() {
    changes.alone(() -> {
      if (socket != null) {
        socket.close();
        socket = null;
      }
    });
  }
}
