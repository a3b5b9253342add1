-- CreateTable
CREATE TABLE "volume" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "volume_uid" TEXT NOT NULL,
    "project_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "vm_id" INTEGER,
    "name" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "previous_bytes" BIGINT,
    "used_bytes" BIGINT,
    "format" TEXT,
    "status" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" DATETIME,
    CONSTRAINT "volume_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "volume_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "volume_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateIndex
CREATE UNIQUE INDEX "volume_volume_uid_key" ON "volume"("volume_uid");

-- CreateIndex
CREATE INDEX "volume_host_id_idx" ON "volume"("host_id");

-- CreateIndex
CREATE INDEX "volume_vm_id_idx" ON "volume"("vm_id");

-- CreateIndex
CREATE UNIQUE INDEX "volume_project_id_name_key" ON "volume"("project_id", "name") WHERE "deleted_at" IS NULL;
