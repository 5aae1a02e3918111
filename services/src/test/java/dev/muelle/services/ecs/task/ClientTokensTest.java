package dev.muelle.services.ecs.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muelle.services.ecs.World;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.Task;

class ClientTokensTest {

  private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");
  private static final RunTaskRequest REQUEST =
      RunTaskRequest.builder().taskDefinition("a").clientToken("t").build();

  @TempDir Path directory;

  @Test
  void aTokenHoldsForADayInItsCluster() {
    try (SqliteStore file = SqliteStore.open(directory.resolve("store.db"))) {
      Store store = file.in("a/b");
      String arn = "arn:aws:ecs:us-east-1:000000000000:task/" + World.CLUSTER + "/1";
      TaskRecord task =
          new TaskRecord(
              Task.builder().taskArn(arn).clusterArn("c").lastStatus("RUNNING").build(),
              null,
              AwsVpcConfiguration.builder().build(),
              "",
              List.of(),
              "m",
              null,
              null);
      store.write(tx -> {
        ClientTokens.remember(tx, "one", REQUEST, List.of(task), NOW);
        return tx.put(TaskRecord.TABLE, task.id(), task);
      });
      assertEquals(Optional.of(List.of(task.task())), made(store, "one", REQUEST, Duration.ZERO));
      assertEquals(
          Optional.of(List.of(task.task())), made(store, "one", REQUEST, Duration.ofHours(23)));
      assertEquals(Optional.empty(), made(store, "one", REQUEST, Duration.ofHours(24)));
      assertEquals(Optional.empty(), made(store, "two", REQUEST, Duration.ZERO));
      RunTaskRequest other = REQUEST.toBuilder().taskDefinition("b").build();
      assertThrows(ConflictException.class, () -> made(store, "one", other, Duration.ZERO));
      assertEquals(Optional.empty(), made(store, "one", other, Duration.ofHours(24)));
      store.write(tx -> {
        ClientTokens.forget(tx, task.id());
        return task;
      });
      assertEquals(Optional.empty(), made(store, "one", REQUEST, Duration.ZERO));
    }
  }

  private static Optional<List<Task>> made(
      Store store, String cluster, RunTaskRequest request, Duration later) {
    return store.read(tx -> ClientTokens.made(tx, cluster, request, NOW.plus(later)));
  }
}
