package dev.muelle.e2e;

import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInfo;

/** A region for the tests of one class, and a shell that runs Fargate tasks in it. */
abstract class RegionTest {

  /** Further options of {@code ./muelle up} for a class's region. */
  @Retention(RetentionPolicy.RUNTIME)
  @interface Up {
    String value();
  }

  static TestRegion region;
  static FargateTasks tasks;
  static Session shell;

  @BeforeAll
  static void startRegion(TestInfo test) throws IOException {
    region =
        TestRegion.start(
            test.getTestClass()
                .flatMap(type -> Optional.ofNullable(type.getAnnotation(Up.class)))
                .map(Up::value)
                .orElse(""));
    tasks = new FargateTasks(region);
    shell = tasks.shell();
  }

  /** Closing the region proves that nothing of it is left. */
  @AfterAll
  static void stopRegion() throws IOException {
    tasks.close();
    region.close();
  }
}
