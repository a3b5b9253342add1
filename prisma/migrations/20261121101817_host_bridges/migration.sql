-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_host" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "location_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "info" TEXT,
    "last_seen_at" DATETIME,
    "charged_memory_bytes" BIGINT NOT NULL DEFAULT 0,
    "bridges" TEXT NOT NULL DEFAULT '[]',
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "host_location_id_fkey" FOREIGN KEY ("location_id") REFERENCES "location" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
INSERT INTO "new_host" ("charged_memory_bytes", "created_at", "id", "info", "last_seen_at", "location_id", "name") SELECT "charged_memory_bytes", "created_at", "id", "info", "last_seen_at", "location_id", "name" FROM "host";
DROP TABLE "host";
ALTER TABLE "new_host" RENAME TO "host";
CREATE UNIQUE INDEX "host_name_key" ON "host"("name");
CREATE INDEX "host_location_id_idx" ON "host"("location_id");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
