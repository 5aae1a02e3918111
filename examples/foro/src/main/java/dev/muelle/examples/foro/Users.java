package dev.muelle.examples.foro;

import java.util.List;
import java.util.Optional;

/** {@code /api/users} and {@code /api/users/<id>}: who writes. */
final class Users implements Part {

  private record User(int id, String username, String name) {
    String json() {
      return "{\"id\":%d,\"username\":\"%s\",\"name\":\"%s\"}".formatted(id, username, name);
    }
  }

  private static final List<User> ALL =
      List.of(
          new User(1, "marina", "Marina Soler"),
          new User(2, "goran", "Goran Kos"),
          new User(3, "lupe", "Guadalupe Reyes"));

  @Override
  public String name() {
    return "users";
  }

  @Override
  public Optional<String> at(List<String> path) {
    return switch (path.size()) {
      case 0 -> Optional.of(Json.list(ALL.stream().map(User::json)));
      case 1 ->
          ALL.stream()
              .filter(user -> String.valueOf(user.id()).equals(path.getFirst()))
              .map(User::json)
              .findFirst();
      default -> Optional.empty();
    };
  }
}
