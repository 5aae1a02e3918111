package dev.muelle.examples.foro;

import java.util.List;
import java.util.Optional;

/** {@code /api/threads} and {@code /api/threads/<id>}: what is talked about. */
final class Threads implements Part {

  private record Topic(int id, String title, int createdBy) {
    String json() {
      return "{\"id\":%d,\"title\":\"%s\",\"createdBy\":%d}".formatted(id, title, createdBy);
    }
  }

  private static final List<Topic> ALL =
      List.of(
          new Topic(1, "Barcos que se ven desde el muelle", 1),
          new Topic(2, "Contenedores: ¿grandes o pequeños?", 3));

  @Override
  public String name() {
    return "threads";
  }

  @Override
  public Optional<String> at(List<String> path) {
    return switch (path.size()) {
      case 0 -> Optional.of(Json.list(ALL.stream().map(Topic::json)));
      case 1 ->
          ALL.stream()
              .filter(topic -> String.valueOf(topic.id()).equals(path.getFirst()))
              .map(Topic::json)
              .findFirst();
      default -> Optional.empty();
    };
  }
}
