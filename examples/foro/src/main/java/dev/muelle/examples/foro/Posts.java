package dev.muelle.examples.foro;

import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;

/** {@code /api/posts/in-thread/<id>} and {@code /api/posts/by-user/<id>}: what was written. */
final class Posts implements Part {

  private record Post(int thread, int user, String text) {
    String json() {
      return "{\"thread\":%d,\"user\":%d,\"text\":\"%s\"}".formatted(thread, user, text);
    }
  }

  private static final List<Post> ALL =
      List.of(
          new Post(1, 1, "Hoy ha entrado un velero de tres palos."),
          new Post(1, 2, "Lo vi. Traía la bandera al revés."),
          new Post(2, 3, "Uno por proceso, y ninguno de más."));

  @Override
  public String name() {
    return "posts";
  }

  @Override
  public Optional<String> at(List<String> path) {
    if (path.size() != 2) {
      return Optional.empty();
    }
    return switch (path.getFirst()) {
      case "in-thread" -> Optional.of(those(Post::thread, path.getLast()));
      case "by-user" -> Optional.of(those(Post::user, path.getLast()));
      default -> Optional.empty();
    };
  }

  private static String those(ToIntFunction<Post> key, String wanted) {
    return Json.list(
        ALL.stream()
            .filter(post -> String.valueOf(key.applyAsInt(post)).equals(wanted))
            .map(Post::json));
  }
}
