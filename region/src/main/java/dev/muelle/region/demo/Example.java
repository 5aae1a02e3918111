package dev.muelle.region.demo;

import java.util.List;

/**
 * A program in {@code examples/} that becomes an image.
 *
 * @param name of the image and of its repository
 * @param module its folder below {@code examples/}, and the name of its archive
 * @param mainClass where it begins
 * @param arguments what it is started with
 * @param port on which it listens
 */
public record Example(
    String name, String module, String mainClass, List<String> arguments, int port) {

  /** The REST API of the lab "Fargate, ECS and an Application Load Balancer". */
  public static final Example ALBA_DIGI =
      new Example(
          "alba-digi-api-rest",
          "alba-digi-api-rest",
          "dev.muelle.examples.albadigi.AlbaDigiApi",
          List.of(),
          5050);

  /** The service of the lab on scaling. */
  public static final Example ESCALADO =
      new Example("escalado", "escalado", "dev.muelle.examples.escalado.Escalado", List.of(), 8080);

  /** Every example; the forum as one program, and as its three parts. */
  public static final List<Example> ALL =
      List.of(
          ALBA_DIGI,
          ESCALADO,
          foro("foro", "users", "threads", "posts"),
          foro("foro-users", "users"),
          foro("foro-threads", "threads"),
          foro("foro-posts", "posts"));

  private static Example foro(String name, String... parts) {
    return new Example(name, "foro", "dev.muelle.examples.foro.Foro", List.of(parts), 3000);
  }
}
